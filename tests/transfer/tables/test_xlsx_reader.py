"""Rows of a sheet: as wide as the header, without empty ones, of the sheet that is named."""

from pathlib import Path

import openpyxl
import pytest

from transfer.errors import UserError
from transfer.tables.xlsx_reader import sheet_rows


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    for row in [
        (None, None),
        ("text", 2024, None),
        ("a", 1.5),
        (None, None, None),
        ("b", None, "beyond"),
        ("c",),
    ]:
        book.active.append(row)
    book.create_sheet("second").append(["other"])
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_rows_are_as_wide_as_the_header_and_empty_ones_are_left_out(workbook: Path) -> None:
    assert list(sheet_rows(workbook, None, "gold", "a.xlsx")) == [
        ["text", "2024"],
        ["a", 1.5],
        ["b", None],
        ["c", None],
    ]
    assert list(sheet_rows(workbook, "second", "gold", "a.xlsx")) == [["other"]]


def test_a_sheet_that_is_not_there_is_named_with_those_there_are(workbook: Path) -> None:
    with pytest.raises(UserError) as caught:
        list(sheet_rows(workbook, "secnd", "gold", "a.xlsx"))
    assert str(caught.value).splitlines()[:2] == [
        "gold.sheet: no sheet 'secnd' in a.xlsx",
        "  its sheets: Sheet, second",
    ]
    assert "did you mean 'second'?" in str(caught.value)


def test_an_empty_file_is_told_from_one_that_is_no_workbook(tmp_path: Path) -> None:
    for content, words in ((b"", r"is empty \(0 bytes\)"), (b"x", "is no xlsx workbook")):
        (tmp_path / "b.xlsx").write_bytes(content)
        with pytest.raises(UserError, match=words):
            list(sheet_rows(tmp_path / "b.xlsx", None, "gold", "b.xlsx"))
