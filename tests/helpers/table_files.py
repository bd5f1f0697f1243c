"""The same small table in every format, and reading it."""

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from transfer.errors import UserError
from transfer.tables.readers import read_batches
from transfer.tables.sources import LabelledSource
from transfer.tables.table_columns import as_text

ROWS = [
    ("좋아요, 정말", "joy", 3),
    ('그가 "아니"라고\n했다', "anger", 3),
    ("x" * 10_000, "joy", 4),
]


HEADER = ("텍스트", "label", "n")


def write_delimited(path: Path, encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([HEADER, *ROWS])


def write_json(path: Path) -> None:
    objects = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    path.write_text(json.dumps(objects, ensure_ascii=False, indent=1), encoding="utf-8")


def write_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [HEADER, ROWS[0], (None, None, None), *ROWS[1:]]:
        sheet.append(row)
    other = book.create_sheet("other")
    other.append(["x"])
    book.save(path)


def read(source: LabelledSource, base: Path, rows: int = 2, columns: tuple[str, ...] = HEADER) -> list[tuple[str, ...]]:
    batches = list(read_batches(source, columns, base, "original.train[0]", rows))
    assert all(0 < batch.num_rows <= rows for batch in batches)
    return [
        row
        for batch in batches
        for row in zip(*(as_text(column, "it").to_pylist() for column in batch.columns), strict=True)
    ]


def problem_of(source: LabelledSource, base: Path, columns: tuple[str, ...] = ("text",)) -> str:
    with pytest.raises(UserError) as caught:
        read(source, base, columns=columns)
    return str(caught.value)
