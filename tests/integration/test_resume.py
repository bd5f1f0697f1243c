"""A run that is killed or interrupted, and run again, ends like one that was not."""

import json
import signal
import subprocess

import pytest
from typer.testing import CliRunner

from cli import app
from tests.helpers.small_project import Project, outcome, random_moments

SECONDS_TO_STOP = 240  # a few, on a machine that does nothing else


def killed_after(project: Project, seconds: float) -> None:
    process = project.start("run", "plan.yaml")
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("seed", [1])
def test_a_killed_run_ends_like_one_that_ran_through(project: Project, finished: Project, seed: int) -> None:
    for seconds in random_moments(4, longest=12, seed=seed):
        killed_after(project, seconds)
    done = project.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert outcome(project) == outcome(finished)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_run_killed_often_ends_like_one_that_ran_through(project: Project, finished: Project, seed: int) -> None:
    for seconds in random_moments(6, longest=14, seed=seed):
        killed_after(project, seconds)
    done = project.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert outcome(project) == outcome(finished)


@pytest.mark.parametrize(
    ("words", "before", "stop"),
    [
        ("small · search · models/bert · trial 1, epoch 2", (), signal.SIGINT),
        pytest.param("to ask", ("search",), signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("trial 0, epoch 3", ("search", "label"), signal.SIGINT, marks=pytest.mark.slow),
    ],
    ids=["stage one", "labelling", "stage two"],
)
def test_an_interrupted_stage_says_how_to_go_on_and_does(
    project: Project, finished: Project, words: str, before: tuple[str, ...], stop: signal.Signals
) -> None:
    for command in before:
        assert project.run(command, "plan.yaml").returncode == 0
    process = project.start("run", "plan.yaml")
    assert process.stderr is not None
    seen = ""
    while words not in seen:
        line = process.stderr.readline()
        assert line, f"never said {words!r}:\n{seen}"
        seen += line
    process.send_signal(stop)
    _, errors = process.communicate(timeout=SECONDS_TO_STOP)
    assert process.returncode == 130, errors
    assert "moodline run plan.yaml" in errors
    assert "Traceback" not in errors
    states = {stage["stage"]: stage["state"] for stage in project.json("status", "plan.yaml")["stages"]}
    assert "interrupted" in states.values()
    assert project.run("run", "plan.yaml").returncode == 0
    assert outcome(project) == outcome(finished)


@pytest.mark.parametrize(
    ("stage", "piece"),
    [
        ("ensemble", "stages.ensemble.run_ensemble.score_combinations"),
        ("infer", "stages.infer.shard_schema.pq.write_table"),
        pytest.param("monitor", "stages.monitor.run_monitor.draw_png", marks=pytest.mark.slow),
    ],
)
def test_a_late_stage_interrupted_says_how_to_go_on_and_does(
    finished: Project, monkeypatch: pytest.MonkeyPatch, stage: str, piece: str
) -> None:
    before = outcome(finished)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(finished.folder)
    words = ["run", "plan.yaml", "--anew", stage]
    with monkeypatch.context() as patched:
        patched.setattr(piece, interrupted)
        patched.setattr("sys.argv", ["moodline", *words])
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 130
    assert "Go on with:\n  moodline run plan.yaml\n" in done.stderr  # and not anew a second time
    states = {row["stage"]: row["state"] for row in finished.json("status", "plan.yaml")["stages"]}
    assert states[stage] == "interrupted"
    assert finished.run("run", "plan.yaml").returncode == 0
    assert outcome(finished) == before


def test_a_second_process_on_the_workspace_is_refused_and_told_by_whom(project: Project) -> None:
    first = project.start("search", "plan.yaml")
    assert first.stderr is not None
    first.stderr.readline()
    try:
        second = project.run("run", "plan.yaml")
        assert second.returncode == 1
        assert str(first.pid) in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        first.kill()
        first.communicate()


@pytest.mark.slow
def test_a_worker_joins_the_search_of_all_candidates_and_the_totals_stay_exact(project: Project) -> None:
    more = ("--set", "search.trials=6")
    for study in project.joined_search(*more)["studies"]:
        assert study["complete"] + study["pruned"] == 6
        assert study["running"] == study["failed"] == 0


def test_a_search_with_workers_shares_its_studies_and_json_is_the_leaders_alone(project: Project) -> None:
    done = project.run("search", "plan.yaml", "--workers", "2", "--json", "--set", "search.trials=6")
    assert done.returncode == 0, done.stderr
    assert "worker 2: small · search" in done.stderr
    for study in json.loads(done.stdout)["studies"]:
        assert study["complete"] + study["pruned"] == 6
        assert study["running"] == study["failed"] == study["waiting"] == 0


def test_a_worker_without_a_search_is_told_how_to_begin_one(project: Project) -> None:
    done = project.run("worker", "plan.yaml")
    assert done.returncode == 1
    assert "moodline search plan.yaml" in done.stderr
