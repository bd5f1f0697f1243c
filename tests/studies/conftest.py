"""A store and searches whose trials are a formula: a study's ways can be tested without a model."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest
from sqlalchemy import Engine

from storage.database.engine import open_store
from storage.process_identity import ProcessIdentity, this_process
from studies.optuna_storage import open_optuna
from studies.space.dimensions import Choices, Dimension, Range
from studies.study_config import StudyConfig
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import RunTrial, open_study, work

if TYPE_CHECKING:
    from studies.trials.trial_task import TrialTask
    from tests.helpers.one_trial import Place

SPACE: dict[str, Dimension] = {
    "learning_rate": Range(low=1e-5, high=1e-2, log=True),
    "epochs": Range(low=1, high=5),
    "class_weighting": Choices(choices=["none", "balanced"]),
    "weight_decay": 0.01,
}
BASELINE = {"learning_rate": 3e-5, "epochs": 3, "class_weighting": "none", "weight_decay": 0.01}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def engine(url: str) -> Engine:
    return open_store(url)


def a_search(trials: int = 6, **more: object) -> StudyConfig:
    settings: dict[str, object] = {
        "name": "study",
        "direction": "maximize",
        "metric": "macro_f1",
        "space": SPACE,
        "baseline": BASELINE,
        "trials": trials,
        "seed": 7,
    }
    return StudyConfig(**(settings | more))  # type: ignore[arg-type]


def formula(trial: optuna.Trial, _: object = None) -> TrialEnd:
    from studies.space.suggest import suggest

    params = suggest(trial, SPACE)
    value = -abs(params["learning_rate"] - 1e-3) - 0.1 * abs(params["epochs"] - 4)
    for epoch in range(1, 4):
        trial.report(value - 1 / epoch, epoch)
        if trial.should_prune():
            return TrialEnd(value, is_pruned=True)
    return TrialEnd(value, is_pruned=False)


RunIt = Callable[..., optuna.Study]


@pytest.fixture
def run_it(url: str, engine: Engine) -> RunIt:
    """Runs a search with a formula, as a worker of its own."""

    def run(
        search: StudyConfig | None = None,
        trial: RunTrial = formula,
        worker: ProcessIdentity | None = None,
        after: Callable[[], None] = lambda: None,
    ) -> optuna.Study:
        search = search or a_search()
        study = open_study(open_optuna(url), search)
        work(study, search, TrialClaims(engine, search.name, worker or this_process()), trial, after)
        return study

    return run


def dead_worker() -> ProcessIdentity:
    """A worker whose process is gone: what it holds may be taken over."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return replace(this_process(f"gone {gone.pid}"), pid=gone.pid)


def told(study: optuna.Study) -> list[tuple[object, ...]]:
    """What two searches are compared by: number, state, value, parameters and reports of each trial."""
    return [
        (t.number, t.state, t.value, tuple(sorted(t.params.items())), tuple(sorted(t.intermediate_values.items())))
        for t in study.get_trials(deepcopy=False)
    ]


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights that the trials of `task` begin with."""
    from tests.helpers.tiny_encoders import save_encoder

    return save_encoder("bert", tmp_path_factory.mktemp("bert"), with_lm_head=True)


@pytest.fixture(scope="session")
def task(bert: Path, one_thread: None) -> "TrialTask":
    from tests.helpers.one_trial import a_task

    return a_task(bert)


@pytest.fixture
def place(tmp_path: Path, url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> "Place":
    """Trials of tiny models have epochs far too short for a checkpoint; here they get one each nevertheless."""
    from tests.helpers.one_trial import Place

    monkeypatch.setattr("studies.trials.objective.EPOCH_SECONDS", 0.0)
    return Place(tmp_path, url, engine)


@pytest.fixture
def another(tmp_path: Path) -> "Place":
    """A second place, for the trial that nobody kills."""
    from tests.helpers.one_trial import Place

    root = tmp_path / "another"
    root.mkdir()
    url = f"sqlite:///{root / 'store.db'}"
    return Place(root, url, open_store(url))
