"""Tables written and read again: every format, Korean, and texts that a spreadsheet would take for formulas."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from transfer.errors import UserError
from transfer.tables.label_sheets import FORMATS, read_sheet, write_sheet

TEXTS = ["화가 난다", "=HYPERLINK(1)", "'=quoted", "-1 point", "@you, look", 'a "quote", a comma', "", "plain"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sheet{suffix}"
    third = 1 / 3
    columns: dict[str, list[Any]] = {
        "text": TEXTS,
        "p": [third] * len(TEXTS),
        "n": [3] * len(TEXTS),
        "none": [None] * len(TEXTS),
    }
    write_sheet(path, columns, "--export")
    header, rows = read_sheet(path, None, "--import")
    assert header == ["text", "p", "n", "none"]
    assert [row["text"] or "" for row in rows] == TEXTS
    assert {float(row["p"] or 0) for row in rows} == {third}
    assert {(row["n"], row["none"]) for row in rows} == {("3", None)}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_times_survive(tmp_path: Path, suffix: str) -> None:
    noon = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    write_sheet(tmp_path / f"sheet{suffix}", {"at": [noon]}, "--export")
    _, rows = read_sheet(tmp_path / f"sheet{suffix}", None, "--import")
    assert datetime.fromisoformat(rows[0]["at"] or "") == noon


def test_no_spreadsheet_runs_a_comment(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    write_sheet(tmp_path / "a.xlsx", {"text": ["=1+1"]}, "--export")
    assert load_workbook(tmp_path / "a.xlsx").active["A2"].data_type == "s"
    write_sheet(tmp_path / "a.csv", {"text": ["=1+1"]}, "--export")
    assert "'=1+1" in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")


def test_faults_are_told_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n오늘 화가 났다\n", encoding="cp949")
    with pytest.raises(UserError, match="cp949"):
        read_sheet(tmp_path / "a.csv", None, "--import")
    assert read_sheet(tmp_path / "a.csv", "cp949", "--import")[1] == [{"text": "오늘 화가 났다"}]
    with pytest.raises(UserError, match="no encoding 'cp94'"):
        read_sheet(tmp_path / "a.csv", "cp94", "--import")
    with pytest.raises(UserError, match="no file"):
        read_sheet(tmp_path / "b.csv", None, "--import")
    with pytest.raises(UserError, match="known formats"):
        write_sheet(tmp_path / "a.txt", {"text": []}, "--export")
    with pytest.raises(UserError, match="no folder"):
        write_sheet(tmp_path / "new" / "a.csv", {"text": []}, "--export")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="no whole parquet"):
        read_sheet(tmp_path / "a.parquet", None, "--import")
