"""Plots of a study: which parameter matters, once there are enough trials."""

from typing import Literal

import optuna
import pytest

from studies.dashboard.study_plots import importance_plot


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("trials", [30, 80])
def test_importance_finds_the_parameter_that_matters(direction: Literal["maximize", "minimize"], trials: int) -> None:
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda t: (t.suggest_float("matters", 0, 1) - 0.8) ** 2 + 0 * t.suggest_float("idle", 0, 1), trials)
    plot = importance_plot(study, study.trials, "macro-F1")
    assert plot is not None
    bars = dict(zip(plot["data"][0]["y"], plot["data"][0]["x"], strict=True))
    assert bars["matters"] > bars["idle"]
    assert ("rough" in plot["layout"]["title"]["text"]) == (trials < 50)


def test_too_few_trials_have_no_importance(study: optuna.Study) -> None:
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), 5)
    assert importance_plot(study, study.trials, "macro-F1") is None
