"""`moodline annotate` with the keys that a person would press."""

import csv
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli import app
from stages.annotation.annotate import sample_to_annotate
from stages.plan.schema import read_plan
from tests.helpers.labelling_project import opened, truth_of

KEYS = "123"


def press(plan: Path, keys: str, *words: str) -> Result:
    done = CliRunner().invoke(app, ["annotate", str(plan), "--json", *words], input=keys)
    assert done.exit_code == 0, done.output
    return done


def annotate(plan: Path, keys: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(press(plan, keys, *words).stdout)
    return found


def right_keys(plan: Path, rows: int) -> str:
    """The keys that label the first comments of the sample right."""
    texts = dict.fromkeys(row.text for row in sample_to_annotate(opened(plan)).rows[:rows])
    return "".join(KEYS[truth_of(text)] for text in texts)


def gold_file(plan: Path) -> list[dict[str, str]]:
    with (read_plan(plan).root / "gold.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
