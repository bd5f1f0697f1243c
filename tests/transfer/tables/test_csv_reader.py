"""Rows of csv files."""

from pathlib import Path

from tests.helpers.table_files import read
from transfer.tables.sources import LabelledSource


def test_blank_lines_and_short_rows_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\r\ntext,label,x\r\n\r\na,joy\r\n   \r\nb,joy,1,,\r\n")
    assert read(LabelledSource(path="a.csv"), tmp_path, columns=("text", "x")) == [("a", ""), ("b", "1")]
