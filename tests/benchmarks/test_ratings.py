"""Ratings are read from the files of several years, whatever each makes of times, ids and gaps."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.ratings import film_means, read_ratings

DAYS = [dt.datetime(2014, 12, 31), dt.datetime(2014, 12, 30), None]


def test_files_of_two_years_and_other_types_are_read_as_one(tmp_path: Path) -> None:
    first = {"written_at": pa.array(DAYS, pa.timestamp("us")), "rating": [4, 10, 9], "source": ["7", "8", "8"]}
    later = {"written_at": ["2015-01-01", "2015-01-02", "soon"], "rating": [1.0, math.nan, 3.0], "source": [7, 7, 9]}
    for name, columns in (("a", first), ("b", later)):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    days, ratings, films = read_ratings(paths, "rating", "written_at", "source", "Asia/Seoul")
    assert [str(day) for day in days] == ["2014-12-31", "2014-12-30", "2015-01-01"]
    assert ratings.tolist() == [4, 10, 1]
    assert films[0] == films[2] != films[1]  # film 7 in both, as text and as a number


def test_a_period_is_rated_by_the_mean_of_its_films_whatever_their_crowds() -> None:
    place, ratings = np.array([0, 0, 0, 1]), np.array([10.0, 10.0, 4.0, 2.0])
    found = film_means(place, ratings, np.array([0, 0, 1, 1]), 3, np.ones(3))
    assert found[:2].tolist() == [7, 2]
    assert math.isnan(found[2])


def test_comments_without_any_rating_are_said_plainly(tmp_path: Path) -> None:
    table = pa.table({"written_at": ["2015-01-01"], "rating": pa.array([None], pa.float64()), "source": ["7"]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(SystemExit, match="no comment has both a time and a rating"):
        read_ratings([tmp_path / "a.parquet"], "rating", "written_at", "source", "UTC")
