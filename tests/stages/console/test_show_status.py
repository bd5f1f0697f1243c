"""Where a run stands, as people read it: who coordinates it, which trials run, and how far."""

import pytest

from stages.console.show_status import show_status
from stages.results.status_result import Coordinator, RunningTrial, RunStatus, StageState

TRIAL = RunningTrial(
    study="small · search · bert",
    trial=3,
    worker="w1",
    host="here",
    pid=7,
    alive=True,
    seconds=600.0,
    silent_seconds=1.0,
    still_seconds=1.0,
    share=0.5,
    epoch=2,
    epochs=4.0,
)


def status(**more: object) -> RunStatus:
    stages = [StageState(stage="search", state="running", seconds=12.34)]
    return RunStatus.model_validate({"name": "small", "begun": True, "workspace": "/w", "stages": stages, **more})


def test_a_run_that_never_began_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(status(begun=False))
    assert capsys.readouterr().out == "small: not begun; nothing is in /w\n"


def test_stages_coordinator_time_to_go_and_disk_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    leader = Coordinator(host="here", pid=7, since="2024-05-01 12:00")
    disk = {"weights": 3_000_000, "cache": 0, "store": 500_000}
    show_status(status(leader=leader, seconds_to_go=7_300.0, disk_bytes=3_500_000, disk=disk))
    out = capsys.readouterr().out
    assert "small in /w; led by process 7 on here since 2024-05-01 12:00" in out
    assert "search  running     12.3" in out
    assert "the searches will take roughly 2 hours more at this pace" in out
    assert "on disk: 3.5 MB (weights 3.0, store 0.5)" in out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "trial 3: epoch 2 of 4, begun 10 minutes ago, by process 7 on here"),
        ({"epochs": None}, "trial 3: epoch 2, begun"),
        ({"epoch": 6}, "trial 3: 50% done, begun"),
        ({"alive": False}, "begun 10 minutes ago, interrupted; w1 is gone: it goes on when the search does"),
        ({"alive": False, "worker": None}, "begun 10 minutes ago, interrupted: it goes on when the search does"),
    ],
)
def test_a_trial_is_shown_by_how_far_it_is(
    capsys: pytest.CaptureFixture[str], change: dict[str, object], words: str
) -> None:
    show_status(status(workers=[TRIAL.model_copy(update=change)]))
    assert words in capsys.readouterr().out
