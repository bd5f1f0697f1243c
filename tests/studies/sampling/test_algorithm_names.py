"""Brackets of Hyperband are Optuna's, and a budget too small for them is warned of."""

import optuna
import pytest

from studies.legacy_names import legacy_study_name
from studies.sampling.algorithm_names import (
    HYPERBAND_REDUCTION,
    bracket_of,
    bracket_shares,
    hyperband_warning,
)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 9, 10, 27, 81])
def test_brackets_are_optunas(most: int) -> None:
    theirs = optuna.pruners.HyperbandPruner(1, most, HYPERBAND_REDUCTION)
    name = "plan · search · klue/bert-base"
    study = optuna.create_study(study_name=legacy_study_name(name))  # brackets do not change with a stage's name
    theirs._try_initialization(study)
    trial = optuna.trial.create_trial(value=0.0)
    for number in range(200):
        trial.number = number
        assert theirs._get_bracket_id(study, trial) == bracket_of(name, number, bracket_shares(most))


def test_a_budget_too_small_for_hyperband_is_reported_with_its_brackets() -> None:
    told_ = hyperband_warning("plan · search · klue/bert-base", 20, 5)
    assert told_ is not None
    assert "20 trials are few for hyperband" in told_
    assert "median" in told_
    assert hyperband_warning("plan · search · klue/bert-base", 200, 5) is None
    suggested = int(told_.split("Raise trials to ")[1].split(",")[0])
    assert hyperband_warning("plan · search · klue/bert-base", suggested, 5) is None
    assert "pruner none" in str(hyperband_warning("s", 1000, 1))
