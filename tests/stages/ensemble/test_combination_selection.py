"""Combinations are scored on rows that their fit did not see, and the best, or the plan's, is taken."""

import numpy as np
import pytest

from stages.ensemble.combination_selection import KeptModels, score_combinations, selected
from stages.plan.plan_settings import EnsembleSettings
from stages.study_runs.selection_metric import SelectionMetric
from transfer.ensembling.combination import COMBINATIONS, FITTED
from transfer.errors import UserError

LABELS = ("anger", "joy")


def kept(n: int) -> KeptModels:
    """Two models on n rows of validation: one that is mostly right, and one that always gives the same label."""
    rng = np.random.default_rng(1)
    truth = np.arange(n) % 2
    good = np.eye(2)[np.where(rng.random(n) < 0.85, truth, 1 - truth)] * 0.6 + 0.2
    poor = np.tile([0.7, 0.3], (n, 1))
    metric = SelectionMetric(LABELS, truth, None, 0.0)
    predictions = {name: {"validation": p.astype(np.float32)} for name, p in (("good", good), ("poor", poor))}
    values = {name: metric.value(found) for name, found in predictions.items()}
    assert values["good"] > values["poor"]
    return KeptModels(values, predictions, {"validation": truth}, metric)


def test_every_combination_is_scored_and_auto_takes_the_best() -> None:
    settings = EnsembleSettings(combine="auto", calibrate="auto")
    table = score_combinations(kept(60), settings, seed=1)
    names = [line.scores.combination for line in table]
    assert names == [f"{how}{more}" for more in ("", ", calibrated") for how in (*COMBINATIONS, *FITTED)]
    best = selected(table, settings)
    assert best.scores.value == max(line.scores.value for line in table)
    assert selected(table, EnsembleSettings(combine="stacking")).mixture.how == "stacking"


def test_of_few_rows_nothing_is_fitted_and_a_plan_that_asks_for_it_is_refused() -> None:
    table = score_combinations(kept(12), EnsembleSettings(), seed=1)
    assert [line.scores.combination for line in table] == list(COMBINATIONS)
    with pytest.raises(UserError, match="fewer than 20"):
        selected(table, EnsembleSettings(combine="weighted"))
