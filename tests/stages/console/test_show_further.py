"""Comparisons read well, and say no more than their intervals support."""

from typing import Any

import pytest

from stages.console.show_further import comparison_notes, comparison_rows
from stages.console.show_run import show_stage

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
    row = comparison_rows({"comparisons": [{**FOUND, "verdict": verdict}]})
    what = "stage two − stage one, as it is"
    assert row == [(what, "gold report (1,200)", "+0.050", "+0.010 to +0.090", said)]


def test_an_ablations_comparison_names_both_arms_and_its_picture() -> None:
    result = {"comparisons": [{**FOUND, "model": "both", "than": "original data only"}], "png": "a/ablation.png"}
    assert comparison_rows(result)[0][0] == "both − original data only"
    assert "picture: a/ablation.png" in comparison_notes(result)


def test_warnings_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    show_stage({"comparisons": [FOUND], "warnings": ["no gold"], "rows": []})
    told = capsys.readouterr().out
    assert "better" in told
    assert "warning: no gold" in told
    assert "had a part in choosing" in " ".join(told.split())
