"""The demo runs offline, and its outcome comes from the data: with shuffled pseudo-labels there is no gain."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from stages.demo.corpus import SMALL
from stages.demo.make_demo import make_demo
from stages.plan.schema import read_plan
from stages.results.label_result import LabelResult
from stages.runtime.run_context import open_run
from stages.runtime.stage_execution import read_result
from storage.records.pseudo_labels import LABELS, labels_of
from tests.helpers.small_project import Project

ONE = ("--set", "candidates=[models/bert]", "--set", "search.trials=3", "--set", "further.trials=3")
LIKELY_GAIN = 0.05
NO_GAIN = 0.02


def nothing(line: str) -> None:
    """Reports nothing."""


def test_a_small_demo_runs_to_its_page(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo", "ko", 13, nothing, size=SMALL)
    project = Project(tmp_path / "demo")
    result = project.json("run", "plan.yaml", "--set", "search.trials=1", "--set", "further.trials=1")
    assert {stage["state"] for stage in result["stages"]} == {"done"}
    assert {row["note"] for row in result["results"] if row["stage"] == "further"} == {
        "learnt from a stand-in labeller: a simulation"
    }
    page = Path(result["page"]).read_text(encoding="utf-8")
    assert "simulation" in page


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = Project(tmp_path).run("demo", ".")
    assert done.returncode == 1
    assert "name another" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_demo_gains_by_its_pseudo_labels_and_shows_the_event(tmp_path: Path, language: str) -> None:
    done = Project(tmp_path).run("demo", "demo", "--language", language, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert gain(result["results"]) > LIKELY_GAIN
    assert 0.3 < result["labeller"]["kappa"]["value"] < 0.9  # it errs, and is no noise
    project = Project(tmp_path / "demo")
    weeks = [p for p in project.json("monitor", "plan.yaml")["periods"] if p["every"] == "week" and p["index"]]
    quiet = [week["index"]["value"] for week in (*weeks[:3], *weeks[-3:])]
    usual = sum(quiet) / len(quiet)
    farthest = max(weeks, key=lambda week: abs(week["index"]["value"] - usual))
    assert len(weeks) // 3 <= weeks.index(farthest) < len(weeks) - len(weeks) // 3  # in the middle, where the event is
    assert not farthest["index"]["low"] <= usual <= farthest["index"]["high"]


@pytest.mark.slow
def test_with_shuffled_pseudo_labels_there_is_no_gain(tmp_path: Path) -> None:
    make_demo(tmp_path / "true", "en", 13, nothing)
    true = Project(tmp_path / "true")
    for command in ("search", "label"):
        assert true.run(command, "plan.yaml", *ONE).returncode == 0
    shutil.copytree(true.folder, tmp_path / "shuffled")
    shuffled = Project(tmp_path / "shuffled")
    shuffle_labels(shuffled)
    gains = {}
    for name, project in (("true", true), ("shuffled", shuffled)):
        assert project.run("further", "plan.yaml", *ONE).returncode == 0
        gains[name] = gain(project.json("ensemble", "plan.yaml", *ONE)["rows"])
    assert gains["true"] > LIKELY_GAIN
    assert gains["shuffled"] < NO_GAIN


def gain(rows: list[dict[str, Any]]) -> float:
    """Macro-F1 on gold's report half: stage two's less stage one's."""
    of = {row["model"].split(":")[0]: row["macro_f1"] for row in rows if row["split"] == "gold report"}
    return float(of["stage two"] - of["stage one"])


def shuffle_labels(project: Project) -> None:
    """Gives each comment the labeller's answer to another one, at random."""
    run = open_run(read_plan(project.plan, [word for word in ONE if word != "--set"]))
    identity = read_result(run, LabelResult).identity
    rows = list(labels_of(run.engine, identity))
    answers = [(row.label, row.probabilities) for row in rows]
    random.Random(1).shuffle(answers)
    with run.engine.begin() as connection:
        for row, (label, probabilities) in zip(rows, answers, strict=True):
            which = (LABELS.c.labeller == identity) & (LABELS.c.key == row.key)
            connection.execute(update(LABELS).where(which).values(label=label, probabilities=probabilities))
