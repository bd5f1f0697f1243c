"""The index compared with the ratings that people gave with their comments, which no model ever read.

    python -m benchmarks.ratings --line runs/NAME/results/line.parquet --comments comments.parquet \
        --timezone Asia/Seoul --csv ratings.csv

--line: the file written by `moodline monitor`. --comments: Parquet files with columns of ratings, times and sources
(films); a comment without a time or a rating is left out. Each period's rating is the mean of the films' means in it,
so that all films have the same weight (`by_source`), and the mean of all ratings (`by_comment`). Prints one JSON
object: for each length of period the correlation of the index, drawn and as counted, with both, of levels and of
steps from period to period. Intervals are 95 %, from a circular block bootstrap over periods (n^(1/3) in a row); and,
for levels of `by_source`, from resampling whole films, which changes the ratings alone (`over_sources`).

--csv writes date, value for `index.series` of a plan, whose page then shows the same.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.monitor.analysis.cross_correlation import Correlation, correlations
from stages.monitor.schema.calendar import all_starts, local_days, period_starts
from transfer.tables.table_columns import as_text
from transfer.tables.timestamps import utc_times

Floats = NDArray[np.float64]
RESAMPLES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--line", type=Path, required=True)
    parser.add_argument("--comments", type=Path, required=True, nargs="+")
    parser.add_argument("--rating", default="rating")
    parser.add_argument("--time", default="written_at")
    parser.add_argument("--source", default="source")
    parser.add_argument("--timezone", default="UTC")
    parser.add_argument("--every", nargs="+", default=["week", "month"])
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    days, ratings, films = read_ratings(given.comments, given.rating, given.time, given.source, given.timezone)
    line = pq.read_table(given.line)
    found = {every: measure(line, every, days, ratings, films, given.seed) for every in given.every}
    if given.csv:
        write_csv(given.csv, days, ratings, films)
    print(json.dumps(found, indent=1))


def read_ratings(
    paths: Sequence[Path], rating: str, time: str, source: str, timezone: str
) -> tuple[NDArray[np.datetime64], Floats, NDArray[np.int64]]:
    """Local day, rating and number of the film of each comment that has them all, (N,) each."""
    parts = [_columns(path, rating, time, source, ZoneInfo(timezone)) for path in paths]
    table = pa.concat_tables(parts).combine_chunks()
    table = table.filter(pc.and_(pc.is_valid(table.column("time")), pc.is_finite(table.column("rating"))))
    if not len(table):
        raise SystemExit("no comment has both a time and a rating")
    films = table.column("source").combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    days = local_days(table.column("time").cast(pa.int64()).to_numpy(), timezone)
    return days, table.column("rating").to_numpy(), films.astype(np.int64)


def _columns(path: Path, rating: str, time: str, source: str, zone: ZoneInfo) -> pa.Table:
    """The columns of one file, with the same types in all files."""
    table = pq.read_table(path, columns=[rating, time, source]).combine_chunks()
    one = {name: pa.concat_arrays(table.column(name).chunks) for name in (rating, time, source)}
    values = {
        "rating": one[rating].cast(pa.float64(), safe=False),
        "time": utc_times(one[time], zone),
        "source": as_text(one[source], "--source").cast(pa.string()),
    }
    return pa.table(values)


def measure(
    line: pa.Table, every: str, days: NDArray[np.datetime64], ratings: Floats, films: NDArray[np.int64], seed: int
) -> dict[str, object]:
    """Correlations of one length of period."""
    starts = all_starts(days.min(), days.max(), every)
    place = np.searchsorted(starts, period_starts(days, every))
    index = {name: index_of(line, every, starts, is_drawn) for name, is_drawn in (("drawn", True), ("raw", False))}
    by_source = film_means(place, ratings, films, len(starts), np.ones(films.max() + 2))
    told = {"by_source": by_source, "by_comment": means(place, ratings, len(starts))}
    found: dict[str, object] = {"periods": len(starts)}
    for name, values in index.items():
        found[name] = {
            kind: {
                "levels": as_json(correlations(values, rating, [0], seed)),
                "steps": as_json(correlations(np.diff(values), np.diff(rating), [0], seed)),
            }
            for kind, rating in told.items()
        } | {"over_sources": over_sources(values, place, ratings, films, len(starts), seed)}
    return found


def index_of(line: pa.Table, every: str, starts: NDArray[np.datetime64], is_drawn: bool) -> Floats:
    """(P,) the drawn index, or that as counted; nan in gaps."""
    wanted = pc.field("is_drawn") if is_drawn else pc.field("method") == "raw"
    rows = line.filter((pc.field("every") == every) & pc.field("label").is_null() & wanted)
    found = dict(zip(rows.column("start").to_pylist(), rows.column("value").to_pylist(), strict=True))
    return np.array([found.get(start, np.nan) for start in starts.tolist()])


def means(place: NDArray[np.int64], values: Floats, size: int) -> Floats:
    """(size,) the mean of the values at each place; nan where there is none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(place, values, size) / np.bincount(place, minlength=size))


def film_means(
    place: NDArray[np.int64], ratings: Floats, films: NDArray[np.int64], size: int, weights: Floats
) -> Floats:
    """(size,) the mean over films, weighted, of their mean ratings in each period."""
    pairs, of = np.unique(place * (films.max() + 2) + films + 1, return_inverse=True)
    mean = np.bincount(of, ratings) / np.bincount(of)
    period, film = np.divmod(pairs, films.max() + 2)
    with np.errstate(invalid="ignore"):
        weighted = np.bincount(period, weights[film] * mean, size)
        return np.asarray(weighted / np.bincount(period, weights[film], size))


def over_sources(
    index: Floats, place: NDArray[np.int64], ratings: Floats, films: NDArray[np.int64], size: int, seed: int
) -> dict[str, float] | None:
    """The 95 % interval of the correlation of levels over resampled films, Poisson weights."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        weights = rng.poisson(1, films.max() + 2).astype(np.float64)
        rating = film_means(place, ratings, films, size, weights)
        both = np.isfinite(index) & np.isfinite(rating)
        if both.sum() < 3 or index[both].std() == 0 or rating[both].std() == 0:
            return None
        found.append(np.corrcoef(index[both], rating[both])[0, 1])
    low, high = np.percentile(found, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}


def as_json(found: tuple[Correlation, ...]) -> dict[str, object] | None:
    """Of one lag; None where the periods are too few."""
    return asdict(found[0]) if found else None


def write_csv(path: Path, days: NDArray[np.datetime64], ratings: Floats, films: NDArray[np.int64]) -> None:
    """One row a day: the mean of the films' means, for `index.series` (which averages days to its own periods)."""
    starts = np.unique(days)
    values = film_means(np.searchsorted(starts, days), ratings, films, len(starts), np.ones(films.max() + 2))
    rows = [f"{day},{value:.6f}" for day, value in zip(starts.tolist(), values.tolist(), strict=True)]
    path.write_text("\n".join(["date,value", *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
