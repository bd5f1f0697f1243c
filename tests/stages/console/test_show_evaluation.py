"""Combinations, distilled models and evaluations have an interval behind every figure of a sample."""

import pytest

from stages.console.show_evaluation import show_classes, show_distilled, show_ensemble
from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import EnsembleResult
from stages.results.evaluation_result import ClassFigures, ClassIntervals
from stages.results.stage_result import Interval
from tests.helpers.stored_results import stored


@pytest.fixture
def ensemble() -> EnsembleResult:
    return EnsembleResult.model_validate(stored("ensemble"))


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.1)


def test_combinations_have_theirs(ensemble: EnsembleResult, capsys: pytest.CaptureFixture[str]) -> None:
    first = ensemble.combinations[0].model_copy(update={"value": 0.7, "interval": interval(0.7)})
    assert ensemble.final.intervals is not None
    intervals = ensemble.final.intervals.model_copy(update={"best": interval(0.6)})
    final = ensemble.final.model_copy(update={"intervals": intervals})
    show_ensemble(ensemble.model_copy(update={"combinations": [first], "final": final}))
    out = capsys.readouterr().out
    assert "0.500 to 0.700" in out
    assert "0.600 to 0.800" in out


def test_a_fitted_combination_has_a_star(ensemble: EnsembleResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_ensemble(ensemble)
    out = capsys.readouterr().out
    assert "weighted, calibrated *" in out
    assert "* fitted on these rows" in out
    assert "diversity of the members, mean over pairs on validation: disagreement 0.000, kappa 1.000" in out


def test_so_have_figures_of_labels(capsys: pytest.CaptureFixture[str]) -> None:
    figures = ClassFigures(precision=0.5, recall=0.5, f1=0.3, accuracy=0.5, support=3)
    own = ClassIntervals(precision=interval(0.5), recall=interval(0.5), f1=interval(0.3), accuracy=interval(0.5))
    labels = ("anger", "joy", "sadness")
    show_classes(labels, dict.fromkeys(labels, figures), [[1, 1, 1]] * 3, dict.fromkeys(labels, own))
    assert capsys.readouterr().out.count("0.200 to 0.400") == 3


def test_a_distilled_model_is_shown_against_its_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    result = DistilResult.model_validate(stored("distil"))
    show_distilled(result)
    out = capsys.readouterr().out
    assert "trained on 90 texts labelled by ensemble (mean of 3)" in out
    assert "distilled less ensemble on test: macro-F1 +0.000 (+0.000 to +0.000)" in out
    assert "the same label for 100.0% of 40 texts" in " ".join(out.split())
