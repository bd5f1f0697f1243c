"""A store, a search of formula trials that is run on it, and a small task for real trials."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest
from sqlalchemy import Engine

from storage.database.open_store import open_store
from storage.files.file_store import FileStore
from storage.process_identity import ProcessIdentity, this_process
from studies.optuna_storage import open_optuna
from studies.study_config import StudyConfig
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import RunTrial, open_study, work
from tests.helpers.formula_search import RunIt, a_search, formula

if TYPE_CHECKING:
    from studies.trials.trial_task import TrialTask
    from tests.helpers.one_trial import Place


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def engine(url: str) -> Engine:
    return open_store(url)


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


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", cache=tmp_path / "cache")


@pytest.fixture
def study(url: str) -> optuna.Study:
    study = optuna.create_study(study_name="study", storage=open_optuna(url), direction="maximize")
    study.set_metric_names(["macro-F1"])
    return study
