"""Caps and floods: what is left out, what stays, and that it is reported."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.report.html_page import write_page
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LABELS = ("joy", "anger")
Row = tuple[datetime, str | None, str | None, str, int | None]  # time, author, source, label, near


def write(path: Path, rows: Sequence[Row]) -> Path:
    times, authors, sources, labels, near = (list(column) for column in zip(*rows, strict=True))
    table = {
        "id": [f"{path.stem}{i}" for i in range(len(rows))],
        "time": pa.array(times, pa.timestamp("us", tz="UTC")),
        "author": pa.array(authors, pa.string()),
        "source": pa.array(sources, pa.string()),
        "near": pa.array(near, pa.int64()),
        "label": labels,
        "p_joy": pa.array([0.9 if label == "joy" else 0.1 for label in labels], pa.float32()),
        "p_anger": pa.array([0.1 if label == "joy" else 0.9 for label in labels], pa.float32()),
    }
    pq.write_table(pa.table(table), path)
    return path


def drawn(shards: Sequence[Path], **settings: object) -> Line:
    given = {"every": ["day"], "min_comments": 1, "min_clusters": 2, "author_cap": None, "flood": None, **settings}
    return daily_line(shards, LABELS, IndexSettings.model_validate(given), 13)


def people(n: int, minutes: int = 1) -> list[Row]:
    """n comments by n people, all joyful and of their own words."""
    return [(NOON + timedelta(minutes=minutes * i), f"p{i}", f"v{i % 3}", "joy", 10_000 + i) for i in range(n)]


def test_an_author_counts_up_to_the_cap_on_each_day(tmp_path: Path) -> None:
    loud: list[Row] = [(NOON + timedelta(hours=i), "loud", "v", "anger", i) for i in range(36)]  # 12 h of one day, 24
    line = drawn([write(tmp_path / "0.parquet", [*people(30), *loud])], author_cap=5)
    assert [period.n for period in line.periods] == [35, 5]
    assert line.removed.rows == {"author cap": 26}
    assert line.removed.counts == {"joy": 0, "anger": 26}
    assert line.undated == 0


def test_comments_without_an_author_are_under_no_cap(tmp_path: Path) -> None:
    nameless: list[Row] = [(NOON, None, "v", "anger", i) for i in range(40)]
    assert drawn([write(tmp_path / "0.parquet", nameless)], author_cap=5).n == 40


@pytest.mark.parametrize(
    ("reason", "copies"),
    [
        ("flood by author", [(NOON + timedelta(days=i), "copier", f"s{i}", "anger", 7) for i in range(12)]),
        ("flood on source", [(NOON + timedelta(days=i), f"c{i}", "film", "anger", 7) for i in range(12)]),
        ("flood in hour", [(NOON + timedelta(minutes=i), f"c{i}", f"s{i}", "anger", 7) for i in range(12)]),
    ],
)
def test_near_duplicates_beyond_the_limit_are_left_out(tmp_path: Path, reason: str, copies: list[Row]) -> None:
    line = drawn([write(tmp_path / "0.parquet", [*people(30), *copies])], flood=4)
    assert line.removed.rows == {reason: 8}
    assert line.counts == {"joy": 30, "anger": 4}
    assert drawn([tmp_path / "0.parquet"], flood=12).removed.rows == {}


def test_the_earliest_stay_whatever_the_order_of_shards(tmp_path: Path) -> None:
    copies: list[Row] = [
        (NOON + timedelta(minutes=i), f"c{i}", f"s{i}", "joy" if i < 4 else "anger", 7) for i in range(12)
    ]
    one = write(tmp_path / "a.parquet", [*people(20), *copies[6:]])
    other = write(tmp_path / "b.parquet", copies[:6])
    for shards in ([one, other], [other, one]):
        line = drawn(shards, flood=4)
        assert line.counts == {"joy": 24, "anger": 0}


def test_texts_too_short_to_be_copies_stay(tmp_path: Path) -> None:
    short: list[Row] = [(NOON, f"c{i}", "film", "anger", None) for i in range(50)]
    assert drawn([write(tmp_path / "0.parquet", short)], flood=4).n == 50


def test_the_page_counts_what_is_left_out_and_shows_the_effect(tmp_path: Path) -> None:
    copies: list[Row] = [(NOON, f"c{i}", f"s{i}", "anger", 7) for i in range(30)]
    line = drawn([write(tmp_path / "0.parquet", [*people(30), *copies])], flood=10)
    write_page(line, [], {}, tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text("utf-8")
    assert "Left out: near-duplicates in one hour 20 (index.author_cap: None, index.flood: 10)" in page
    assert "With them, as counted: joy 50.0 %, anger 50.0 %; without: joy 75.0 %, anger 25.0 %" in page


def test_shards_that_do_not_tell_near_duplicates_are_drawn_with_a_word_about_it(tmp_path: Path) -> None:
    path = write(tmp_path / "0.parquet", people(30))
    pq.write_table(pq.read_table(path).drop(["near"]), path)
    line = drawn([path], flood=4)
    write_page(line, [], {}, tmp_path / "p.html")
    assert line.n == 30
    assert "Floods of copied comments were not looked for" in (tmp_path / "p.html").read_text("utf-8")
