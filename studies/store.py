"""Optuna's side of the store: its tables beside moodline's, in one database."""

import warnings

import optuna

from storage.engine import creation_lock, engine_options

optuna.logging.set_verbosity(optuna.logging.WARNING)
# Metric names are marked experimental; without them the dashboard calls every objective "Value".
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def open_optuna(url: str) -> optuna.storages.RDBStorage:
    """Optuna's storage at a database URL, its tables made where they are missing.

    Made under the store's creation lock: several processes that create Optuna's tables at once would fail.
    """
    with creation_lock(url):
        return optuna.storages.RDBStorage(url, engine_kwargs=engine_options(url))
