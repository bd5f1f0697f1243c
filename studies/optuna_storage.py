"""Optuna's side of the store: its tables are in moodline's database."""

import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialModel, TrialSystemAttributeModel, TrialUserAttributeModel
from optuna.storages._rdb.storage import _create_scoped_session
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from storage.database.columns import insert_or_replace
from storage.database.locks import creation_lock
from storage.database.retry import with_retries
from storage.database.sqlalchemy_engine import raise_store_errors
from storage.database.url import engine_options

optuna.logging.set_verbosity(optuna.logging.WARNING)
# Metric names are marked experimental; without them the dashboard calls every objective "Value".
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

# All that may be done twice. Not create_new_trial: repeated after a lost answer it would make a second trial.
REPEATABLE = (
    "set_study_user_attr",
    "set_study_system_attr",
    "_set_trial_param",
    "set_trial_state_values",
    "set_trial_intermediate_value",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "set_trial_attributes",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_trial",
    "get_trial_id_from_study_id_trial_number",
    "get_all_trials",
    "_get_trials",
)


class RetryingStorage(RDBStorage):
    """Optuna's storage, with the errors of moodline's store; it waits while that is not reached."""

    def set_trial_attributes(self, trial_id: int, user: Mapping[str, Any], system: Mapping[str, Any]) -> None:
        """All of these attributes of a trial, or after a kill none; Optuna's own functions take a transaction each.

        Raises UpdateFinishedTrialError as they do.
        """
        with _create_scoped_session(self.scoped_session, ignore_integrity_error=False) as session:
            trial: Any = TrialModel.find_or_raise_by_id(trial_id, session)
            self.check_trial_is_updatable(trial_id, trial.state)
            kinds: list[tuple[Any, Mapping[str, Any]]] = [
                (TrialUserAttributeModel, user),
                (TrialSystemAttributeModel, system),
            ]
            for kind, values in kinds:
                rows = [{"trial_id": trial_id, "key": key, "value_json": json.dumps(values[key])} for key in values]
                insert_or_replace(session.connection(), kind.__table__, rows, ("trial_id", "key"))


def _patient(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def waiting(self: RetryingStorage, *args: Any, **more: Any) -> Any:
        return with_retries(lambda: method(self, *args, **more))

    return waiting


for _name in REPEATABLE:
    setattr(RetryingStorage, _name, _patient(getattr(RetryingStorage, _name)))


def set_attributes(trial: optuna.Trial, user: Mapping[str, Any], system: Mapping[str, Any]) -> None:
    """Sets attributes of a running trial in the store, in one transaction; `trial` itself shows what it had."""
    storage: Any = trial.study._storage
    storage._backend.set_trial_attributes(trial._trial_id, user, system)


def open_optuna(url: str) -> RDBStorage:
    """Optuna's storage at a database URL, its tables made where they are missing.

    Made under the store's creation lock: several processes that create Optuna's tables at once would fail. Opened
    without it where they are there: on a busy machine many workers that open one after the other wait too long.
    """
    with nullcontext() if _is_made(url) else creation_lock(url):
        storage = RetryingStorage(url, engine_kwargs=engine_options(url))
    raise_store_errors(storage.engine, url)
    return storage


def _is_made(url: str) -> bool:
    """Whether Optuna's tables are all there; it notes its version last."""
    engine = create_engine(url, **engine_options(url))
    try:
        with engine.connect() as connection:
            there = inspect(connection).has_table("alembic_version")
            return there and bool(connection.scalar(text("SELECT count(*) FROM alembic_version")))
    except SQLAlchemyError:
        return False  # what is wrong is raised where it is opened
    finally:
        engine.dispose()
