"""Kept models under a kill at every step that they take on the disk: never too many, nothing lost, nothing stray."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
import pytest

from storage.database.open_store import open_store
from storage.files.file_store import FileStore
from storage.files.local_folder import UNFINISHED_FOLDER
from storage.process_identity import this_process
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.optuna_storage import open_optuna
from studies.top_k_models import TopKModels
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import a_search, formula, outcome

KEEP, TRIALS = 2, 5
KILLED, TOO_MUCH = 9, 3
STEPS = {"rename": os, "replace": os, "link": os, "copyfile": shutil, "rmtree": shutil}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")


def search_in(folder: Path) -> optuna.Study:
    """A search whose trials' weights are a file with the trial's number; opened afresh, as after a kill."""
    url = f"sqlite:///{folder / 'store.db'}"
    engine, files = open_store(url), FileStore(folder / "files", folder / "cache")
    files.sweep()
    search = a_search(trials=TRIALS, keep=KEEP, pruner="none")
    study = open_study(open_optuna(url), search)
    kept_models = TopKModels(engine, files, "plan", study, KEEP)

    def run(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        if kept_models.wants(trial.number, ended.value):
            weights = folder / "scratch" / f"trial-{trial.number}"
            if weights.exists():  # from before a kill; what was published may be the same file
                shutil.rmtree(weights)
            weights.mkdir(parents=True)
            (weights / "weights").write_text(str(trial.number))
            kept_models.add(weights, a_record(trial.number, ended.value))
        return ended

    kept_models.remove_unrecorded("models")
    kept_models.tidy()
    work(study, search, TrialClaims(engine, search.name, this_process()), run, kept_models.tidy)
    return study


def a_record(trial: int, value: float) -> ModelRecord:
    none: dict[str, Any] = {"metrics": {}, "recipe": {}, "lineage": {}}
    path, now = f"models/trial-{trial:04d}", datetime.now(UTC)
    return ModelRecord(f"m/{trial}", "plan", "search", "study", trial, "one", path, 0, value, created_at=now, **none)


def in_a_process(folder: Path, at_step: Callable[[int], None]) -> int:
    """The search in a process of its own, `at_step` called before each change in the files; its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            _watch(folder / "files", at_step)
            search_in(folder)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child must never come back into the tests
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _watch(files: Path, at_step: Callable[[int], None]) -> None:
    count = [0]

    def watched(act: Callable[..., Any]) -> Callable[..., Any]:
        def acts(*paths: Any, **more: Any) -> Any:
            if any(str(path).startswith(str(files)) for path in paths):
                count[0] += 1
                at_step(count[0])
            return act(*paths, **more)

        return acts

    for name, module in STEPS.items():
        setattr(module, name, watched(getattr(module, name)))


def weights_in(folder: Path, place: str) -> list[Path]:
    return sorted((folder / "files" / place).rglob("weights"))


def kept(folder: Path) -> dict[str, str]:
    """What is loadable by name, by the records, and what its weights are."""
    engine, files = open_store(f"sqlite:///{folder / 'store.db'}"), FileStore(folder / "files", folder / "cache")
    return {m.name: (files.fetch(m.path) / "weights").read_text() for m in model_registry.models(engine, "plan")}


def test_at_no_step_lies_more_than_the_best_and_the_one_that_comes_in(tmp_path: Path) -> None:
    def look(_: int) -> None:
        placed, beside = len(weights_in(tmp_path, "models")), len(weights_in(tmp_path, UNFINISHED_FOLDER))
        if placed > KEEP + 1 or beside > 1 or placed + beside > KEEP + 2:
            os._exit(TOO_MUCH)

    assert in_a_process(tmp_path, look) == 0
    assert len(weights_in(tmp_path, "models")) == KEEP
    assert weights_in(tmp_path, UNFINISHED_FOLDER) == []


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_step_loses_no_model_and_leaves_none_too_many(tmp_path: Path, stride: int) -> None:
    whole = search_in(tmp_path / "whole")
    best = sorted(whole.trials, key=lambda trial: (-float(trial.value or 0), trial.number))[:KEEP]
    assert kept(tmp_path / "whole") == {f"m/{trial.number}": str(trial.number) for trial in best}
    kills = 0
    for step in range(2, 400, stride):
        folder = tmp_path / f"killed-{step}"

        def die(now: int, step: int = step) -> None:
            if now == step:
                os._exit(KILLED)

        if in_a_process(folder, die) == 0:
            break
        kills += 1
        every = kept(folder)  # at once after the kill: each name leads to its own whole weights
        assert all(name == f"m/{text}" for name, text in every.items())
        assert outcome(search_in(folder)) == outcome(whole)
        assert kept(folder) == kept(tmp_path / "whole")
        assert len(weights_in(folder, "models")) == KEEP
        assert weights_in(folder, UNFINISHED_FOLDER) == []
        shutil.rmtree(folder)
    assert kills >= TRIALS / stride


def test_a_record_whose_files_are_gone_does_not_stop_the_keeping_of_models(tmp_path: Path) -> None:
    study = search_in(tmp_path)
    shutil.rmtree(tmp_path / "files" / "models")
    engine, files = open_store(f"sqlite:///{tmp_path / 'store.db'}"), FileStore(tmp_path / "files", tmp_path / "cache")
    TopKModels(engine, files, "plan", study, keep=1).tidy()
    assert len(model_registry.models(engine, "plan")) == 1


def test_other_things_in_files_are_left_alone(tmp_path: Path) -> None:
    study = search_in(tmp_path)
    engine, files = open_store(f"sqlite:///{tmp_path / 'store.db'}"), FileStore(tmp_path / "files", tmp_path / "cache")
    (tmp_path / "shard").write_text("rows")
    files.publish(tmp_path / "shard", "shards/one")
    model_registry.add(engine, replace(a_record(0, 0.1), name="other", study="another study", path="shards/one"))
    TopKModels(engine, files, "plan", study, keep=1).tidy()
    files.sweep()
    assert files.exists("shards/one")
    assert model_registry.get(engine, "plan", "other") is not None
