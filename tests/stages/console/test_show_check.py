"""A checked plan as people read it."""

import pytest

from stages.console.show_check import show_check
from stages.results.check_result import CheckedDevice, CheckResult, PlannedStage
from stages.results.label_result import CostEstimate


def test_data_stages_costs_and_device_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    cost = CostEstimate(labeller="gpt", questions=100, tokens=9_000, written=500, money=1.5, currency="USD")
    result = CheckResult(
        rows={"train": 12_000, "test": 0},
        labels={"train": {"anger": 5_000, "joy": 7_000}},
        lengths={"train": {"median": 20, "95 %": 90, "longest": 300}},
        dropped={"train: empty text": 3},
        would_run=[PlannedStage(stage="search", what="2 candidates")],
        seconds={"search": 7_300.0},
        labelling=[cost],
        device=CheckedDevice(name="cpu", bf16=True),
        notes=["a hint"],
        problems=[],
    )
    show_check(result)
    out = capsys.readouterr().out
    train = next(line.split() for line in out.splitlines() if line.startswith("train"))
    assert train == ["train", "12,000", "5000", "7000", "20", "90", "300"]
    assert not any(line.startswith("test ") for line in out.splitlines())
    for words in (
        "dropped: train: empty text 3",
        "search: 2 candidates, roughly 2 hours",
        f"labelling by gpt: {cost.in_words}",
        "on cpu, bf16",
        "note: a hint",
        "no problems found",
    ):
        assert words in out


def test_of_a_plan_that_cannot_be_read_only_the_problems_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_check(CheckResult(problems=["one", "two"]))
    assert capsys.readouterr().out == "problem: one\nproblem: two\n2 problems found\n"
