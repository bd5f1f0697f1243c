"""A search, and the updates that its coordinator keeps for the dashboard."""

from pathlib import Path

import optuna
import pytest
from sqlalchemy import Engine

from storage.files.file_store import FileStore
from studies.dashboard.study_updates import StudyUpdates
from studies.top_k_models import TopKModels
from tests.helpers.formula_search import Finish, RunIt, a_search


@pytest.fixture
def shown(run_it: RunIt, engine: Engine, files: FileStore, tmp_path: Path) -> Finish:
    """A search of formula trials, and its updates as its coordinator keeps them."""

    def finish(trials: int = 12) -> tuple[optuna.Study, StudyUpdates]:
        search = a_search(trials=trials, attributes={"stage": "search", "candidate": "one"})
        study = run_it(search)
        updates = StudyUpdates(study, search, TopKModels(engine, files, "plan", study, 3), tmp_path / "plan.yaml")
        updates.begin()
        updates.finish()
        return study, updates

    return finish
