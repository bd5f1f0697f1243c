"""Gold by hand: keys, undo, going on later, a kill between two answers, sheets, two people, and weights that add up."""

import csv
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app
from stages.annotation.annotation_sample import sample_to_annotate
from stages.datasets.run_data import read_gold
from stages.plan.schema import read_plan
from stages.runtime.run_context import open_run
from storage.records.annotations import annotations
from tests.helpers.labelling_project import LABELS, make_labelling, opened, truth_of, write
from tests.helpers.small_project import environment
from transfer.tables.spreadsheets import read_sheet, write_sheet

KEYS = "123"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return make_labelling(tmp_path)


def press(plan: Path, keys: str, *words: str) -> Result:
    done = CliRunner().invoke(app, ["annotate", str(plan), "--json", *words], input=keys)
    assert done.exit_code == 0, done.output
    return done


def told(plan: Path, keys: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(press(plan, keys, *words).stdout)
    return found


def truths(plan: Path, rows: int) -> str:
    """The keys that label the first comments of the sample right."""
    texts = dict.fromkeys(row.text for row in sample_to_annotate(opened(plan)).rows[:rows])
    return "".join(KEYS[truth_of(text)] for text in texts)


def gold_file(plan: Path) -> list[dict[str, str]]:
    with (read_plan(plan).root / "gold.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_keys_become_gold_that_the_plan_reads(plan: Path) -> None:
    found = told(plan, truths(plan, 60), "--rows", "60")
    assert (found["labelled"], found["left"], found["rows"]) == (60, 0, 60)
    rows = gold_file(plan)
    assert all(row["label"] == LABELS[truth_of(row["text"])] for row in rows)
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(400)
    plan.write_text(
        plan.read_text(encoding="utf-8").replace("{path: gold.csv, id: id, weight: weight}", found["source"]),
        encoding="utf-8",
    )
    gold = read_gold(opened(plan))
    assert gold is not None
    assert gold.report.weights is not None
    assert len(gold.tune) + len(gold.report) == 60


def test_a_person_may_undo_pass_over_quit_and_go_on(plan: Path) -> None:
    right = truths(plan, 10)
    wrong = "1" if right[1] != "1" else "2"
    found = told(plan, right[0] + wrong + "u" + right[1] + "s" + "x" + right[3] + "q", "--rows", "10")
    assert (found["labelled"], found["skipped"], found["left"]) == (3, 1, 6)
    found = told(plan, "u" + right[3:], "--rows", "10")  # back over the border between two sessions
    assert (found["labelled"], found["skipped"], found["left"]) == (9, 1, 0)
    assert all(row["label"] == LABELS[truth_of(row["text"])] for row in gold_file(plan))
    assert told(plan, "", "--rows", "12")["left"] == 2


def test_undo_at_the_very_beginning_does_nothing(plan: Path) -> None:
    assert told(plan, "u1q", "--rows", "5")["labelled"] == 1


def test_what_is_shown_tells_progress_keys_and_the_label_before(plan: Path) -> None:
    shown = press(plan, "12q", "--rows", "5").stderr
    for words in ("1 of 5", "3 of 5", "[1] anger", "[3] sadness", "[u] undo", "(before: joy)"):
        assert words in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_kill_between_two_answers_loses_none(plan: Path) -> None:
    sample_to_annotate(opened(plan))
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "annotate", str(plan), "--rows", "10"],
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({}),
    )
    assert process.stderr is not None
    try:
        for n, key in enumerate("1231", 1):
            _wait_for(process.stderr, f"{n} of 10")
            os.write(master, key.encode())
        _wait_for(process.stderr, "5 of 10")
        process.kill()
    finally:
        process.kill()
        process.communicate()
        os.close(master)
        os.close(terminal)
    assert len(annotations(opened(plan).engine, "small")) == 4
    found = told(plan, "q", "--rows", "10")
    assert (found["labelled"], found["left"], found["rows"]) == (4, 6, 4)


def _wait_for(stream: Any, words: str) -> None:
    until = time.monotonic() + 240
    while words not in (line := stream.readline()):
        assert line, f"never said {words!r}"
        assert time.monotonic() < until


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_sheet_goes_out_and_comes_back(plan: Path, tmp_path: Path, suffix: str) -> None:
    sheet = tmp_path / f"sheet{suffix}"
    assert told(plan, "", "--rows", "30", "--export", str(sheet))["sheet"] == str(sheet)
    _, rows = read_sheet(sheet, None, "--import")
    assert [row["label"] for row in rows] == [None] * 30
    filled = [LABELS[truth_of(row["text"] or "")] if i else None for i, row in enumerate(rows)]
    write_sheet(sheet, {"key": [row["key"] for row in rows], "label": filled}, "--export")
    found = told(plan, "", "--rows", "30", "--import", str(sheet), "--annotator", "kim")
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


def test_two_annotators_have_an_agreement(plan: Path) -> None:
    right = truths(plan, 40)
    told(plan, right, "--rows", "40", "--annotator", "kim")
    other = "".join("123"[("123".index(key) + (i % 5 == 0)) % 3] for i, key in enumerate(right))
    found = told(plan, other, "--rows", "40", "--annotator", "lee")
    (pair,) = found["agreement"]
    assert (pair["annotators"], pair["n"]) == (["kim", "lee"], 40)
    assert pair["accuracy"] == pytest.approx(0.8, abs=0.03)
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"] < 1
    assert found["disagreements"] == 8
    assert found["annotators"] == {"kim": 40, "lee": 40}
    assert found["rows"] == 40


def test_comments_added_later_do_not_change_the_sample(plan: Path) -> None:
    before = sample_to_annotate(opened(plan))
    with (plan.parent / "comments.csv").open("a", encoding="utf-8") as file:
        file.write("new,mood1 999 new,2024-03-05T12:00:00Z,v1\n")
    assert sample_to_annotate(opened(plan)) == before


def test_a_plan_without_comments_says_so(plan: Path) -> None:
    done = CliRunner().invoke(app, ["annotate", str(plan), "--set", "comments=[]"])
    assert done.exit_code == 1
    assert "comments: none are named" in done.stderr
    open_run(read_plan(plan))
