"""A sheet goes out and comes back, or is refused as a whole."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from storage.records.annotations import annotations
from tests.helpers.annotating import annotate, gold_file
from tests.helpers.labelling_project import LABELS, opened, truth_of, write
from transfer.tables.label_sheets import read_sheet, write_sheet


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_sheet_goes_out_and_comes_back(plan: Path, tmp_path: Path, suffix: str) -> None:
    sheet = tmp_path / f"sheet{suffix}"
    assert annotate(plan, "", "--rows", "30", "--export", str(sheet))["sheet"] == str(sheet)
    _, rows = read_sheet(sheet, None, "--import")
    assert [row["label"] for row in rows] == [None] * 30
    filled = [LABELS[truth_of(row["text"] or "")] if i else None for i, row in enumerate(rows)]
    write_sheet(sheet, {"key": [row["key"] for row in rows], "label": filled}, "--export")
    found = annotate(plan, "", "--rows", "30", "--import", str(sheet), "--annotator", "kim")
    assert (found["annotator"], found["labelled"], found["left"]) == ("kim", 29, 1)
    assert all(row["label"] == LABELS[truth_of(row["text"])] for row in gold_file(plan))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"key": ["k"], "label": ["glee"]}, "row 2: no label 'glee' in the plan; its labels: anger, joy, sadness"),
        ({"key": ["k"], "label": ["joy"]}, "row 2: no comment with the key 'k' in the sample"),
        ({"key": ["k"], "label": [""]}, "its column label is empty"),
        ({"key": ["k"], "emotion": ["joy"]}, "no column label"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused_in_one_message(
    plan: Path, tmp_path: Path, columns: dict[str, list[str]], words: str
) -> None:
    write(tmp_path / "sheet.csv", **columns)
    done = CliRunner().invoke(app, ["annotate", str(plan), "--import", str(tmp_path / "sheet.csv")])
    assert done.exit_code == 1
    assert words in " ".join(done.stderr.split())
    assert annotations(opened(plan).engine, "small") == []
