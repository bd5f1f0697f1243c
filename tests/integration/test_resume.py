"""A run that is interrupted says how to go on; processes that share a workspace, or may not."""

import json

import pytest
from typer.testing import CliRunner

from cli import app
from tests.helpers.small_project import Project, outcome


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
