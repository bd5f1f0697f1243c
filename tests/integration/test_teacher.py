"""The whole pipeline without an LLM: stage one's best trials label the sample."""

import pytest
from typer.testing import CliRunner

from cli import app
from tests.helpers.small_project import Project

TEACHER = ("{labeller: {model: models/lm}", "{labeller: {teacher: ensemble}")


@pytest.mark.slow
def test_stage_one_labels_in_place_of_an_llm(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    finished.write(TEACHER)
    told = finished.json("label", "plan.yaml")
    assert told["labelled"] == 60
    assert told["labeller"]["kind"] == "teacher"
    assert told["labeller"]["model"] == "teacher: ensemble (mean of 3)"
    assert len(told["labeller"]["members"]) == 3
    assert told["reliability"]["n"] == told["gold_n"]
    again = finished.json("label", "plan.yaml", "--set", "pseudo_label.sample=70")
    assert again["identity"] == told["identity"]
    assert again["labelled"] == 70
    fewer = finished.json("label", "plan.yaml", "--set", "ensemble.top=1")
    assert fewer["identity"] != told["identity"]
    monkeypatch.chdir(finished.folder)
    done = CliRunner().invoke(app, ["further", "plan.yaml"])  # labels of another labeller are not mixed in
    assert done.exit_code == 1
    assert "labeller: was" in " ".join(done.stderr.split())


def test_a_teacher_needs_stage_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(TEACHER)
    monkeypatch.chdir(project.folder)
    done = CliRunner().invoke(app, ["label", "plan.yaml"])
    assert done.exit_code == 1
    assert "moodline search plan.yaml" in " ".join(done.stderr.split())
