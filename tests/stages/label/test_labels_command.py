"""The command `labels` lists labellers, and writes and reads their labels."""

import csv
from pathlib import Path

from typer.testing import CliRunner

from cli import app
from stages.label.run_label import run_label
from tests.helpers.labelling_project import LABELS, Labels, boasting, make_labelling, opened

FORMATS = (".csv", ".parquet", ".xlsx")


def mixed(text: str) -> tuple[float, ...] | int | None:
    """Some sure, some of unknown confidence, some no label."""
    number = int(text.split()[1])
    return None if number % 5 == 0 else number % 3 if number % 2 else boasting(text)


def test_the_command_lists_exports_and_imports(tmp_path: Path, labels_by: Labels) -> None:
    plan = make_labelling(tmp_path)
    nothing = CliRunner().invoke(app, ["labels", str(plan), "--export", str(tmp_path / "out.csv")])
    assert nothing.exit_code == 1
    assert "moodline label plan.yaml" in nothing.stderr
    labels_by(mixed)
    run_label(opened(plan))
    done = CliRunner().invoke(app, ["labels", str(plan), "--export", str(tmp_path / "out.csv")])
    assert done.exit_code == 0, done.output
    assert "300 labels written" in done.stdout
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"", *LABELS}
    assert all(row["text"].startswith("mood") for row in rows)
