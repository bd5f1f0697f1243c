"""Comparisons read well, and say no more than their intervals support."""

from typing import Any

import pytest

from stages.console.show_run import comparison_notes, comparison_rows, show_stage
from stages.results.further_result import AblationResult, ArmComparison, Comparison

FOUND: dict[str, Any] = {
    "than": "stage one, as it is",
    "split": "gold report",
    "n": 1200,
    "difference": 0.05,
    "low": 0.01,
    "high": 0.09,
    "verdict": "better",
}


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("better", "better"), ("worse", "worse"), ("not shown", "no difference shown"), (None, "")],
)
def test_a_comparison_is_a_difference_with_its_interval_and_verdict(verdict: str | None, said: str) -> None:
    row = comparison_rows([Comparison.model_validate({**FOUND, "verdict": verdict})])
    what = "stage two − stage one, as it is"
    assert row == [(what, "gold report (1,200)", "+0.050", "+0.010 to +0.090", said)]


def test_an_ablations_comparison_names_both_arms_and_its_picture() -> None:
    found = ArmComparison.model_validate({**FOUND, "model": "both", "than": "original data only"})
    result = AblationResult(studies=[], rows=[], comparisons=[found], png="a/ablation.png")
    assert comparison_rows(result.comparisons)[0][0] == "both − original data only"
    assert "picture: a/ablation.png" in comparison_notes(result)


def test_warnings_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    found = ArmComparison.model_validate({**FOUND, "model": "both"})
    show_stage(AblationResult(studies=[], rows=[], comparisons=[found], warnings=["no gold"]))
    told = capsys.readouterr().out
    assert "better" in told
    assert "warning: no gold" in told
    assert "no verdict where models were selected on the split" in " ".join(told.split())
