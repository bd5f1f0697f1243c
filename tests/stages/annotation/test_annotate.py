"""Gold by hand: keys, undo, going on later, a kill between two answers, sheets, two people, and weights that add up."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from stages.annotation.annotate import sample_to_annotate
from stages.datasets.run_data import RunData
from stages.plan.schema import read_plan
from stages.runtime.run_context import open_run
from storage.records.annotations import annotations
from tests.helpers.annotating import annotate, gold_file, press, right_keys
from tests.helpers.labelling_project import LABELS, opened, truth_of
from tests.helpers.small_project import environment


def test_keys_become_gold_that_the_plan_reads(plan: Path) -> None:
    found = annotate(plan, right_keys(plan, 60), "--rows", "60")
    assert (found["labelled"], found["left"], found["rows"]) == (60, 0, 60)
    rows = gold_file(plan)
    assert all(row["label"] == LABELS[truth_of(row["text"])] for row in rows)
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(400)
    plan.write_text(
        plan.read_text(encoding="utf-8").replace("{path: gold.csv, id: id, weight: weight}", found["source"]),
        encoding="utf-8",
    )
    gold = RunData(opened(plan)).gold
    assert gold is not None
    assert gold.report.weights is not None
    assert len(gold.tune) + len(gold.report) == 60


def test_a_person_may_undo_pass_over_quit_and_go_on(plan: Path) -> None:
    right = right_keys(plan, 10)
    wrong = "1" if right[1] != "1" else "2"
    found = annotate(plan, right[0] + wrong + "u" + right[1] + "s" + "x" + right[3] + "q", "--rows", "10")
    assert (found["labelled"], found["skipped"], found["left"]) == (3, 1, 6)
    found = annotate(plan, "u" + right[3:], "--rows", "10")  # back over the border between two sessions
    assert (found["labelled"], found["skipped"], found["left"]) == (9, 1, 0)
    assert all(row["label"] == LABELS[truth_of(row["text"])] for row in gold_file(plan))
    assert annotate(plan, "", "--rows", "12")["left"] == 2


def test_undo_at_the_very_beginning_does_nothing(plan: Path) -> None:
    assert annotate(plan, "u1q", "--rows", "5")["labelled"] == 1


def test_progress_keys_and_the_label_before_are_shown(plan: Path) -> None:
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
    found = annotate(plan, "q", "--rows", "10")
    assert (found["labelled"], found["left"], found["rows"]) == (4, 6, 4)


def _wait_for(stream: Any, words: str) -> None:
    until = time.monotonic() + 240
    while words not in (line := stream.readline()):
        assert line, f"never said {words!r}"
        assert time.monotonic() < until


def test_two_annotators_have_an_agreement(plan: Path) -> None:
    right = right_keys(plan, 40)
    annotate(plan, right, "--rows", "40", "--annotator", "kim")
    other = "".join("123"[("123".index(key) + (i % 5 == 0)) % 3] for i, key in enumerate(right))
    found = annotate(plan, other, "--rows", "40", "--annotator", "lee")
    (pair,) = found["agreement"]
    assert (pair["annotators"], pair["n"]) == (["kim", "lee"], 40)
    assert pair["accuracy"] == pytest.approx(0.8, abs=0.03)
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"] < 1
    assert found["disagreements"] == 8
    assert found["annotators"] == {"kim": 40, "lee": 40}
    assert found["rows"] == 40


def test_a_plan_without_comments_says_so(plan: Path) -> None:
    done = CliRunner().invoke(app, ["annotate", str(plan), "--set", "comments=[]"])
    assert done.exit_code == 1
    assert "comments: none are named" in done.stderr
    open_run(read_plan(plan))
