"""Every format gives the same rows, and every unusable file one message."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.table_files import HEADER, ROWS, problem_of, read, write_delimited, write_json, write_xlsx
from transfer.tables.readers import read_batches
from transfer.tables.sources import LabelledSource


def write_jsonl(path: Path) -> None:
    lines = [json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS]
    path.write_text("\n\n".join(lines), encoding="utf-8")


def write_parquet(path: Path) -> None:
    columns = [list(column) for column in zip(*ROWS, strict=True)]
    pq.write_table(pa.table([columns[0], pa.array(columns[1]).dictionary_encode(), columns[2]], list(HEADER)), path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.csv": write_delimited,
    "a.tsv": write_delimited,
    "a.json": write_json,
    "lines.json": write_jsonl,
    "a.jsonl": write_jsonl,
    "a.xlsx": write_xlsx,
    "a.parquet": write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    expected = [(text, label, str(n)) for text, label, n in ROWS]
    assert read(LabelledSource(path=name), tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty (0 bytes)"),
        ("a.csv", b"text,label\n", "no rows in a.csv"),
        ("a.json", b"[]", "no rows in a.json"),
        ("a.jsonl", b"\n\n", "no rows in a.jsonl"),
        ("a.csv", b"text,n\nok,1\nso, what,2\n", "a.csv, line 3: 3 values, but the header has 2"),
        ("a.csv", b'text,n\nok,1\n"so,2\n\nand,3\n', "a.csv, line 3: a double quote opens a value and is not closed"),
        ("a.csv", b"text;n\nok;1\n", "save it as .csv with commas"),
        ("a.csv", b"text,text\na,b\n", "a.csv has several columns 'text'"),
        ("a.jsonl", b'{"text": 1}\n{"text": \n', "a.jsonl, line 2: no JSON"),
        ("a.json", b'[{"text": "a"}, {"text": "b]', "a.json, object 2: no JSON"),
        ("a.json", b'[{"text": "a"}, 7]', "a.json, object 2: an object with the columns as keys is expected, got 7"),
        ("a.parquet", b"PAR1 not", "a.parquet is no whole parquet file"),
        ("a.xlsx", b"not a zip", "a.xlsx is no xlsx workbook"),
        ("a.xls", b"x", "save the sheet as .xlsx"),
    ],
)
def test_an_unusable_file_says_what_is_wrong(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in problem_of(LabelledSource(path=name), tmp_path)


def test_memory_holds_a_batch_and_not_the_file(tmp_path: Path) -> None:
    dice = random.Random(13)
    texts = [dice.randbytes(100).hex() for _ in range(50_000)]  # one row group of 10 MB that does not compress
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", use_dictionary=False, compression=None)
    before, held = pa.total_allocated_bytes(), []
    for batch in read_batches(LabelledSource(path="a.parquet"), ("text",), tmp_path, "comments[0]", 1000):
        assert batch.num_rows == 1000
        held.append(pa.total_allocated_bytes() - before)
    assert len(held) == 50
    assert max(held) < 5_000_000
