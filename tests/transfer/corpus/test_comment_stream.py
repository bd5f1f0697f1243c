"""Comments come whole, dated and anonymous, a batch at a time."""

import datetime as dt
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transfer.corpus.comment_files import comment_files
from transfer.corpus.comment_stream import COMMENT_COLUMNS, read_comments
from transfer.corpus.comment_windows import read_windows
from transfer.errors import UserError, UserErrors
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource
from transfer.tables.timestamps import utc_times
from transfer.text.cleaning import key_hash

SEOUL = ZoneInfo("Asia/Seoul")
NINE = dt.datetime(2024, 3, 1, 0, 0, tzinfo=dt.UTC)  # nine in the morning in Seoul


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(folder: Path, *sources: CommentSource, salt: str = "s", **settings: Any) -> list[dict[str, Any]]:
    batches = list(read_comments(sources, folder, "Asia/Seoul", salt, **settings))
    assert all(batch.schema == COMMENT_COLUMNS and batch.num_rows for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def test_a_comment_comes_clean_dated_and_anonymous(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "no,body,when,who,film", "k1,soooooo good @kim,2024-03-01 09:00,김철수,f1")
    source = CommentSource(path="a.csv", id="no", text="body", time="when", author="who", source="film")
    (row,) = read(tmp_path, source)
    author = row.pop("author")
    assert row == {
        "id": "k1",
        "text": "sooo good @user",
        "key": key_hash("sooo good @user"),
        "time": NINE,
        "source": "f1",
        "file": 0,
        "row": 0,
    }
    assert len(bytes.fromhex(author)) == 8
    assert read(tmp_path, source)[0]["author"] == author
    assert read(tmp_path, source, salt="t")[0]["author"] != author


def test_unusable_comments_are_counted_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text,when,who", "a,2024-03-01,x", ",2024-03-01,x", "b,soon,", "nan,,", "c,,nan")
    dropped = Counter[str]()
    source = CommentSource(path="a.csv", time="when", author="who")
    rows = read(tmp_path, source, rows=2, dropped=dropped)
    assert [(row["id"], row["row"], row["text"]) for row in rows] == [("a:0", 0, "a"), ("a:2", 2, "b"), ("a:4", 4, "c")]
    assert [row["time"] is None for row in rows] == [False, True, True]
    assert [row["author"] is None for row in rows] == [False, True, True]
    assert dropped == {"empty text": 2, "unreadable time": 1, "no time": 1}


def test_comments_whose_author_is_masked_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text,who", "a,kim****", "b,kim", "c,ki●●", "d,", "e,*star*")
    dropped = Counter[str]()
    rows = read(tmp_path, CommentSource(path="a.csv", author="who"), dropped=dropped)
    assert len(rows) == 5
    assert dropped == {"masked author": 2}


def test_ids_made_up_differ_between_files(tmp_path: Path) -> None:
    for name in ("x/2023/03.csv", "x/2024/03.csv", "y/b.csv"):
        write(tmp_path, name, "text,id", "a,", "b,7")
    rows = read(tmp_path, CommentSource(path="x/*/*.csv"), CommentSource(path="y/b.csv", id="id"))
    assert [row["id"] for row in rows] == ["2023/03:0", "2023/03:1", "2024/03:0", "2024/03:1", "b:0", "7"]
    assert [row["file"] for row in rows] == [0, 0, 1, 1, 2, 2]
    with pytest.raises(UserError, match=r"comments\[1\]\.id: .* would number their comments alike, b:0 and on"):
        read(tmp_path, CommentSource(path="y/b.csv"), CommentSource(path="y/*.csv"))


@pytest.mark.parametrize(
    "times",
    [
        pa.array([dt.datetime(2024, 3, 1, 9)], pa.timestamp("ns")),
        pa.array([NINE], pa.timestamp("s", tz="America/New_York")),
        pa.array([1709251200]),
        pa.array([1709251200.0]),
        pa.array([1709251200000]),
        pa.array([1709251200000000000]),
        *[
            pa.array([text])
            for text in (
                *("2024-03-01T09:00:00", "2024-03-01 09:00", "2024-03-01T00:00:00Z", "2024-03-01T02:00:00+02:00"),
                *("2024.3.1 9:00", "2024/03/01 09:00:00", "20240301090000", "1709251200", "1709251200000"),
                *("Fri Mar 01 00:00:00 +0000 2024", "Fri, 01 Mar 2024 00:00:00 GMT", "2024-03-01 00:00:00 UTC"),
            )
        ],
    ],
    ids=str,
)
def test_times_of_every_kind_come_out_in_utc(times: pa.Array) -> None:
    assert utc_times(times, SEOUL).to_pylist() == [NINE]


@pytest.mark.parametrize(
    "day", [pa.array([dt.date(2024, 3, 1)]), *map(pa.array, (["2024-03-01"], ["20240301"], [20240301]))]
)
def test_a_date_is_its_midnight_on_the_plans_clocks(day: pa.Array) -> None:
    assert utc_times(day, SEOUL).to_pylist() == [dt.datetime(2024, 2, 29, 15, tzinfo=dt.UTC)]


def test_summer_time_is_followed() -> None:
    local = ["2024-01-01 12:00", "2024-07-01 12:00", "2024-11-03 01:30", "2024-11-03 02:30"]
    hours = [time.hour for time in utc_times(pa.array(local), ZoneInfo("America/New_York")).to_pylist()]
    assert hours == [17, 16, 5, 7]
    stamps = pa.array([dt.datetime.fromisoformat(text) for text in local])
    assert utc_times(stamps, ZoneInfo("America/New_York")) == utc_times(pa.array(local), ZoneInfo("America/New_York"))


@pytest.mark.parametrize("text", ["", "soon", "3 days ago", "2024-13-01", "0", "12", "9" * 30, "0001-01-01", None])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert utc_times(pa.array([text, "2024-03-01T00:00Z"]), SEOUL).to_pylist() == [None, NINE]


def test_a_column_without_any_time_is_a_problem_and_no_empty_line(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text,when", *[f"t{i},{i} days ago" for i in range(50)])
    with pytest.raises(
        UserError, match=r"comments\[0\]\.time: no time in column 'when' of a.csv can be read: '0 days ago'"
    ):
        read(tmp_path, CommentSource(path="a.csv", time="when"))


def test_a_json_key_may_be_absent_at_first(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", '{"text": "a"}', '{"text": "b", "author": "kim"}')
    rows = read(tmp_path, CommentSource(path="a.jsonl", author="author"), rows=1)
    assert [row["author"] is None for row in rows] == [True, False]


def test_problems_of_all_files_come_before_any_comment(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", "good")
    write(tmp_path, "b1.csv", "text", "good")
    write(tmp_path, "b2.csv", "comment", "good")
    write(tmp_path, "c.csv", "text")
    sources = [CommentSource(path=path) for path in ("a.csv", "b*.csv", "c.csv")]
    with pytest.raises(UserErrors) as caught:
        read_comments(sources, tmp_path, "UTC", "s")
    assert [problem.splitlines()[0] for problem in caught.value.problems] == [
        "comments[1].text: no column 'text' in b2.csv",
        "comments[2].path: no rows in c.csv",
    ]


def test_a_files_hash_follows_its_content(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", "good")
    write(tmp_path, "b.csv", "text", "good")
    sources = [CommentSource(path="*.csv")]
    (_, path, first), (_, _, second) = comment_files(sources, tmp_path)
    assert (path, first) == (tmp_path / "a.csv", second)
    write(tmp_path, "a.csv", "text", "goods")
    assert [sha == first for _, _, sha in comment_files(sources, tmp_path)] == [False, True]


MEASURE = """
import json, psutil, sys
from pathlib import Path
from transfer.tables.sources import CommentSource
from transfer.corpus.comment_stream import read_comments
rows, held = 0, []
sources = [CommentSource(path=name, id="id", time="time", author="author") for name in ("a.parquet", "a.csv", "a.json")]
for batch in read_comments(sources, Path(sys.argv[1]), "Asia/Seoul", "salt", rows=500):
    rows += batch.num_rows
    held.append(psutil.Process().memory_info().rss >> 20)
print(json.dumps([rows, held[5], max(held)]))
"""


def test_memory_does_not_grow_with_the_number_of_comments(tmp_path: Path) -> None:
    n = 10_000
    table = pa.table(
        {
            "id": [str(i) for i in range(n)],
            "text": [f"comment {i}" for i in range(n)],
            "other": ["y" * 3000] * n,
            "time": ["2024-03-01"] * n,
            "author": [str(i % 999) for i in range(n)],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps(table.to_pylist()), encoding="utf-8")
    write(tmp_path, "a.csv", ",".join(table.column_names), *[",".join(row.values()) for row in table.to_pylist()])
    measured = subprocess.run([sys.executable, "-c", MEASURE, tmp_path], capture_output=True, check=True)
    rows, early, most = json.loads(measured.stdout)
    assert rows == 3 * n
    assert most - early < 20  # MB; each file has 30


def test_a_hub_data_sets_hash_follows_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["good", "bad"]
    monkeypatch.setattr(
        "transfer.corpus.comment_files.read_batches", lambda *_: iter([pa.record_batch({"text": pa.array(texts)})])
    )
    source = CommentSource(hub="me/mood", split="train")
    ((_, path, first),) = comment_files([source], tmp_path)
    assert path == Path("me/mood")
    assert comment_files([source], tmp_path)[0][2] == first
    texts.append("hm")
    assert comment_files([source], tmp_path)[0][2] != first


def test_windows_are_cut_at_rows_of_the_file_and_those_not_wanted_cost_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", *(f"text {i}" for i in range(7)), '""', "text 8")
    write(tmp_path, "b.csv", "text", "text 0")
    sources = [CommentSource(path="*.csv")]
    asked: list[tuple[int, int]] = []

    def wanted(file: int, first: int) -> bool:
        asked.append((file, first))
        return first != 3

    windows = list(read_windows(sources, tmp_path, "UTC", "s", 3, wanted, BadRows()))
    assert asked == [(0, 0), (0, 3), (0, 6), (1, 0)]
    assert [(window.file, window.first) for window in windows] == asked
    rows = [None if window.rows is None else window.rows.column("row").to_pylist() for window in windows]
    assert rows == [[0, 1, 2], None, [6, 8], [0]]
    assert windows[2].dropped == {"empty text": 1}
