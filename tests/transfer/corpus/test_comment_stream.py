"""Comments come whole, dated and anonymous, a batch at a time."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.comment_files import NINE, write
from transfer.corpus.comment_stream import COMMENT_COLUMNS, read_comments
from transfer.errors import UserError
from transfer.tables.sources import CommentSource
from transfer.text.cleaning import key_hash


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
