"""A command that is killed anywhere, however often, ends like one that ran through: one contract for every stage."""

import json
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.crash_points import OF_A_TRIAL, REMOVALS, RUN, STAGES, kills_at
from tests.helpers.killing import MOST_ON_DISK, Kill, run_with_kills
from tests.helpers.project_state import project_state
from tests.helpers.small_project import Project

# More trials than TPE samples at random, and epochs enough for the pruner to stop some.
CHANGES = (
    ("candidates: [models/bert, models/roberta]", "candidates: [models/bert]"),
    ("trials: 3\n", "trials: 12\n"),
    ("epochs: 8", "epochs: 3"),
    ("further: {trials: 2, keep: 1}", "further: {trials: 2, keep: 1, seeds: 2}"),
)
ALL_STAGES = """\
adapt: {comments: 60, steps: 3, batch_size: 16, max_length: 32}
rounds: {most: 2, comments: 20, top: 1}
distil:
  encoder: models/bert
  sample: 40
  space: {method: lora, lora_rank: 4, learning_rate: 1e-2, epochs: 3, batch_size: 8, max_length: 32, dropout: 0}
"""
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed. before: by command, the project's folder as the command found it; after: its state."""

    before: dict[str, Path]
    after: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def undisturbed(_template: Project, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """One command after the other."""
    root = tmp_path_factory.mktemp("undisturbed")
    folder = Path(shutil.copytree(_template.folder, root / "project"))
    Project(folder).write(*CHANGES)
    with Project(folder).plan.open("a", encoding="utf-8") as file:
        file.write(ALL_STAGES)
    before, after = {}, {}
    for command in STAGES:
        before[command] = Path(shutil.copytree(folder, root / f"before {command}"))
        run_with_kills(folder, command, [], watches_disk=command == "search")
        after[command] = project_state(folder)
    return Undisturbed(before | {"run": before["search"]}, after | {"run": after["monitor"]})


@pytest.fixture
def folder(request: pytest.FixtureRequest, undisturbed: Undisturbed, tmp_path: Path) -> Path:
    """A copy of the project as the test's command finds it."""
    callspec = getattr(request.node, "callspec", None)
    command = callspec.params.get("command", "search") if callspec else "search"
    return Path(shutil.copytree(undisturbed.before[command], tmp_path / "project"))


def require_the_same_after(kills: Sequence[Kill], command: str, undisturbed: Undisturbed, folder: Path) -> None:
    """Kill after kill, then to the end: the state is that of the undisturbed run, and each point was reached.

    A kill may come after what the next point does; from there on it begins with the project as it was again.
    """
    while kills:
        ends = run_with_kills(folder, command, kills, watches_disk=command == "search")
        assert project_state(folder) == undisturbed.after[command]
        reached = len(ends) - (ends[-1] == "finished")
        assert reached > 0, f"never reached: {kills[0]}"
        kills = kills[reached:]
        shutil.rmtree(folder)
        shutil.copytree(undisturbed.before[command], folder)


def test_the_undisturbed_run_has_all_that_is_compared(undisturbed: Undisturbed) -> None:
    state = undisturbed.after["monitor"]
    assert {name: stage[0] for name, stage in state["stages"].items()} == dict.fromkeys(
        ("adapt", "search", "label", "further", "ensemble", "distil", "infer", "monitor"), "done"
    )
    searched = state["trials"]["small · search · models/bert"]
    assert [trial[0] for trial in searched] == list(range(12))
    assert {trial[1] for trial in searched} == {"COMPLETE", "PRUNED"}
    assert len(state["trials"]) == 5  # stage one's, two rounds', the controls', and the distilled model's
    assert {name.partition("/")[0] for name in state["weights"]} == {"adapted", "models"}
    assert state["labels"]
    assert sum(len(shard["id"]) for shard in state["shards"]) == 160
    assert {slot[3] for slot in state["slots"]} == {"done"}
    assert state["scratch"] == []
    assert state["unfinished"] == 0


def test_at_no_step_of_a_search_lie_more_weights_than_the_best_and_the_running_trials(
    undisturbed: Undisturbed,
) -> None:
    """After kills, too: the harness looks in every attempt, and this is what it sees."""
    seen = json.loads((undisturbed.before["label"] / "disk.json").read_text(encoding="utf-8"))
    assert len(seen) > 100
    assert {what: max(step[what] for step in seen) for what in MOST_ON_DISK} == MOST_ON_DISK
    assert seen[-1] == {"trials": 0, "checkpoints": 0, "best": 0, "kept": 2}


@pytest.mark.parametrize("first_after", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["before", "after"])
@pytest.mark.parametrize("command", STAGES)
def test_a_command_killed_at_each_named_point_ends_like_one_that_ran_through(
    folder: Path, undisturbed: Undisturbed, command: str, first_after: bool
) -> None:
    require_the_same_after(kills_at(STAGES[command], first_after=first_after), command, undisturbed, folder)


@pytest.mark.parametrize("command", ["run"])
def test_a_run_killed_in_each_stage_ends_like_its_commands_one_after_the_other(
    folder: Path, undisturbed: Undisturbed, command: str
) -> None:
    require_the_same_after(kills_at(RUN), command, undisturbed, folder)


def test_a_search_killed_at_random_moments_and_while_it_removes_weights_ends_like_one_that_ran_through(
    folder: Path, undisturbed: Undisturbed
) -> None:
    moments = [Kill(seconds=float(moment)) for moment in np.random.default_rng(3).uniform(0.1, 1.5, 6)]
    removals = [Kill(at, call, after=after) for at, call in REMOVALS for after in (True, False)]
    run_with_kills(folder, "search", [*moments, *removals], watches_disk=True)
    assert project_state(folder) == undisturbed.after["search"]


@pytest.mark.slow
@pytest.mark.parametrize("command", [*STAGES, "run"])
def test_a_command_interrupted_at_each_named_point_says_how_to_go_on_and_ends_the_same(
    folder: Path, undisturbed: Undisturbed, command: str
) -> None:
    points = RUN if command == "run" else STAGES[command]
    kills = [replace(kill, by=stop) for kill, stop in zip(kills_at(points), cycle(INTERRUPTS), strict=False)]
    require_the_same_after(kills, command, undisturbed, folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("command", [*STAGES, "run"])
def test_a_command_killed_at_random_moments_ends_like_one_that_ran_through(
    folder: Path, undisturbed: Undisturbed, command: str, seed: int
) -> None:
    moments = np.random.default_rng(seed).uniform(0.1, 8 if command == "run" else 1.5, 8)
    run_with_kills(folder, command, [Kill(seconds=float(moment)) for moment in moments])
    assert project_state(folder) == undisturbed.after[command]


@pytest.mark.slow
def test_a_search_interrupted_in_the_middle_of_epochs_goes_on_from_there(
    folder: Path, undisturbed: Undisturbed
) -> None:
    for number, step in zip(INTERRUPTS, (7, 20), strict=True):
        kill = Kill("transfer.training.finetune.FineTuning._step", step, by=number)
        assert run_with_kills(folder, "search", [kill], end=False) == ["interrupted"]
        [state] = folder.glob("runs/small/scratch/*/trial-*/checkpoint/state.json")
        saved = json.loads(state.read_text())
        assert saved["step"] > 0
    assert saved["epoch"] * 15 + saved["step"] == 27  # 15 steps an epoch; none was done twice
    run_with_kills(folder, "search", [])
    assert project_state(folder) == undisturbed.after["search"]


@pytest.fixture(scope="module")
def long(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A search that lasts for many kills."""
    before = Path(shutil.copytree(undisturbed.before["search"], tmp_path_factory.mktemp("long") / "before"))
    Project(before).write(("trials: 12\n", "trials: 60\n"))
    folder = Path(shutil.copytree(before, before.parent / "after"))
    run_with_kills(folder, "search", [])
    return Undisturbed({"search": before}, {"search": project_state(folder)})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_search_killed_fifty_times_and_more_ends_like_one_that_ran_through(
    long: Undisturbed, tmp_path: Path, seed: int
) -> None:
    folder = Path(shutil.copytree(long.before["search"], tmp_path / "project"))
    rng = np.random.default_rng(seed)
    kills = [Kill(OF_A_TRIAL[i][0], after=bool(rng.random() < 0.5)) for i in rng.choice(len(OF_A_TRIAL), 50)]
    kills += [Kill(seconds=float(seconds)) for seconds in rng.uniform(0.1, 1, 15)]
    kills += [Kill(at, call) for at, call in REMOVALS]
    ends = run_with_kills(folder, "search", [kills[i] for i in rng.permutation(len(kills))], watches_disk=True)
    assert ends.count("killed") >= 50
    assert project_state(folder) == long.after["search"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_subsets_search_its_refits_and_fresh_seeds_killed_end_like_those_that_ran_through(
    folder: Path, seed: int
) -> None:
    Project(folder).write(
        ("trials: 12\n", "trials: 3\n  subset: {share: 0.4, refit: 2}\n  recheck: {top: 2, seeds: 2}\n")
    )
    whole = Path(shutil.copytree(folder, folder.parent / "whole"))
    run_with_kills(whole, "search", [])
    rng = np.random.default_rng(seed)
    kills = [Kill(OF_A_TRIAL[i][0], after=bool(rng.random() < 0.5)) for i in rng.choice(len(OF_A_TRIAL), 20)]
    kills += [Kill(seconds=float(seconds)) for seconds in rng.uniform(0.1, 2, 8)]
    run_with_kills(folder, "search", [kills[i] for i in rng.permutation(len(kills))])
    assert project_state(folder) == project_state(whole)
