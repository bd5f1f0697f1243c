"""A search that is killed anywhere, however often, ends like one that ran through."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.killing import MOST_ON_DISK, OF_A_TRIAL, POINTS, REMOVALS, Kill, search_with_kills, searched
from tests.helpers.small_project import Project

# More trials than TPE draws at random, and epochs enough for the pruner to stop some.
SMALL = (
    ("candidates: [models/bert, models/roberta]", "candidates: [models/bert]"),
    ("trials: 3\n", "trials: 12\n"),
    ("epochs: 8", "epochs: 3"),
)
LONG = (*SMALL[:1], ("trials: 3\n", "trials: 60\n"), *SMALL[2:])
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


Through = Callable[..., Path]


@pytest.fixture(scope="module")
def through(_template: Project, tmp_path_factory: pytest.TempPathFactory) -> Through:
    """The folder of a search that nobody kills, with these changes to its plan."""

    def search(*changes: tuple[str, str]) -> Path:
        folder = tmp_path_factory.mktemp("whole") / "project"
        shutil.copytree(_template.folder, folder)
        Project(folder).write(*changes)
        assert search_with_kills(folder, []) == []
        return folder

    return search


@pytest.fixture(scope="module")
def ran_through(through: Through) -> Path:
    return through(*SMALL)


@pytest.fixture(scope="module")
def whole(ran_through: Path) -> dict[str, Any]:
    """What that search comes to."""
    return ended_well(ran_through, trials=12)


@pytest.fixture(scope="module")
def long(through: Through) -> dict[str, Any]:
    """What a search comes to that lasts for many kills."""
    return ended_well(through(*LONG), trials=60)


def ended_well(folder: Path, trials: int) -> dict[str, Any]:
    found = searched(folder)
    ran = found["trials"]["small · search · models/bert"]
    assert [trial[0] for trial in ran] == list(range(trials))
    assert {trial[1] for trial in ran} == {"COMPLETE", "PRUNED"}
    assert len(found["kept"]) == len([name for name in found["files"] if name.startswith("models/")]) == 2
    assert {slot[3] for slot in found["slots"]} == {"done"}
    assert found["scratch"] == []
    assert found["unfinished"] == 0
    return found


def same(folder: Path, whole: dict[str, Any]) -> bool:
    found = searched(folder)
    moved = {**found, "winner": {**found["winner"], "path": None}}
    return moved == {**whole, "winner": {**whole["winner"], "path": None}}


def test_at_no_step_of_a_search_lie_more_weights_than_the_best_and_the_running_trials(ran_through: Path) -> None:
    """After kills, too: the harness looks in every attempt, and this is what it sees."""
    seen = json.loads((ran_through / "disk.json").read_text(encoding="utf-8"))
    assert len(seen) > 100
    assert {what: max(step[what] for step in seen) for what in MOST_ON_DISK} == MOST_ON_DISK
    assert seen[-1] == {"trials": 0, "checkpoints": 0, "best": 0, "kept": 2}


def at_each_point(first: int) -> list[Kill]:
    """Before and after the points' calls in turn."""
    return [Kill(at, call, after=(number + first) % 2 == 1) for number, (at, call) in enumerate(POINTS.items())]


@pytest.mark.parametrize("first", [0, pytest.param(1, marks=pytest.mark.slow)], ids=["before", "after"])
def test_a_search_killed_at_each_named_point_ends_like_one_that_ran_through(
    project: Project, whole: dict[str, Any], first: int
) -> None:
    project.write(*SMALL)
    kills = at_each_point(first)
    told = search_with_kills(project.folder, kills)
    missed = [kill.at for kill, end in zip(kills, told, strict=True) if end != "killed"]
    assert not missed
    assert same(project.folder, whole)


def test_a_search_killed_at_random_moments_and_while_it_removes_weights_ends_like_one_that_ran_through(
    project: Project, whole: dict[str, Any]
) -> None:
    project.write(*SMALL)
    moments = np.random.default_rng(3).uniform(0.1, 1.5, 6)
    removals = [Kill(at, after=after) for at in REMOVALS for after in (True, False)]
    told = search_with_kills(project.folder, [*(Kill(seconds=float(moment)) for moment in moments), *removals])
    assert told.count("killed") >= 3
    assert same(project.folder, whole)


@pytest.mark.slow
def test_a_search_interrupted_in_the_middle_of_epochs_goes_on_from_there(
    project: Project, whole: dict[str, Any]
) -> None:
    project.write(*SMALL)
    for number, step in zip(INTERRUPTS, (7, 20), strict=True):
        told = search_with_kills(
            project.folder, [Kill("transfer.training.finetune.FineTuning._step", step, by=number)], end=False
        )
        assert told == ["interrupted"]
        assert "Go on with:\n  moodline search plan.yaml" in (project.folder / "search.log").read_text()
        [state] = project.workspace.glob("scratch/*/trial-*/checkpoint/state.json")
        saved = json.loads(state.read_text())
        assert saved["step"] > 0
    assert saved["epoch"] * 15 + saved["step"] == 27  # 15 steps an epoch; none was done twice
    search_with_kills(project.folder, [])
    assert same(project.folder, whole)


@pytest.mark.slow
def test_a_search_interrupted_at_each_named_point_says_so_and_ends_like_one_that_ran_through(
    project: Project, whole: dict[str, Any]
) -> None:
    project.write(*SMALL)
    kills = [replace(kill, by=stop) for kill, stop in zip(at_each_point(0), cycle(INTERRUPTS), strict=False)]
    told = search_with_kills(project.folder, kills)
    missed = [kill.at for kill, end in zip(kills, told, strict=True) if end != "interrupted"]
    assert not missed
    assert same(project.folder, whole)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_search_killed_fifty_times_and_more_ends_like_one_that_ran_through(
    project: Project, long: dict[str, Any], seed: int
) -> None:
    project.write(*LONG)
    rng = np.random.default_rng(seed)
    kills = [Kill(str(at), after=bool(rng.random() < 0.5)) for at in rng.choice(OF_A_TRIAL, 50)]
    kills += [Kill(seconds=float(seconds)) for seconds in rng.uniform(0.1, 1, 15)]
    kills += [Kill(at) for at in REMOVALS]
    told = search_with_kills(project.folder, [kills[i] for i in rng.permutation(len(kills))])
    assert told.count("killed") >= 50
    assert same(project.folder, long)
