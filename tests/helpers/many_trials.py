"""A store with many trials, made in a second: rows put into Optuna's tables, as a long search would leave them."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import optuna
from sqlalchemy import MetaData, insert

from storage.database.open_store import open_store
from studies.optuna_storage import open_optuna

DIMENSIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "learning_rate": optuna.distributions.FloatDistribution(1e-5, 1e-3, log=True),
    "epochs": optuna.distributions.IntDistribution(1, 5),
    "class_weighting": optuna.distributions.CategoricalDistribution(["none", "balanced"]),
}
FIGURES = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "best_epoch", "seconds", "train_loss", "f1 joy")


def make_many_trials(url: str, study: str, trials: int, reports: int = 5) -> None:
    """A study of so many trials: most complete, some pruned, a few failed with a reason, the last one running."""
    open_store(url).dispose()
    storage = open_optuna(url)
    made = optuna.create_study(study_name=study, storage=storage, direction="maximize")
    made.set_user_attr("candidate", "klue/bert-base")
    with storage.engine.begin() as connection:
        known = MetaData()
        known.reflect(connection)
        for table, rows in _rows(made._study_id, trials, reports).items():
            connection.execute(insert(known.tables[table]), rows)
    storage.engine.dispose()


def _rows(study: int, trials: int, reports: int) -> dict[str, list[dict[str, Any]]]:
    dice, began = random.Random(5), datetime(2026, 1, 1)
    names = ("trials", "trial_values", "trial_params", "trial_user_attributes", "trial_intermediate_values")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for n in range(trials):
        trial, state = (
            n + 1,
            "RUNNING" if n == trials - 1 else dice.choices(["COMPLETE", "PRUNED", "FAIL"], [8, 4, 1])[0],
        )
        own, value = {"trial_id": trial}, dice.random()
        times = {"datetime_start": began + timedelta(minutes=n), "datetime_complete": began + timedelta(minutes=n + 1)}
        rows["trials"].append({**own, "number": n, "study_id": study, "state": state, **times})
        if state in {"COMPLETE", "PRUNED"}:
            rows["trial_values"].append({**own, "objective": 0, "value": value, "value_type": "FINITE"})
        for name, one in DIMENSIONS.items():
            drawn = dice.choice([0.0, 1.0])
            told = {"param_value": drawn, "distribution_json": optuna.distributions.distribution_to_json(one)}
            rows["trial_params"].append({**own, "param_name": name, **told})
        said: dict[str, Any] = dict.fromkeys(FIGURES, value) | ({"baseline": True, "moved": ""} if n == 0 else {})
        said |= {"reason": f"ValueError: {n % 3}"} if state == "FAIL" else {}
        rows["trial_user_attributes"] += [{**own, "key": k, "value_json": json.dumps(v)} for k, v in said.items()]
        for step in range(1, (reports if n < trials - 1 else 2) + 1):
            kind = {"intermediate_value": value, "intermediate_value_type": "FINITE"}
            rows["trial_intermediate_values"].append({**own, "step": step, **kind})
    return rows
