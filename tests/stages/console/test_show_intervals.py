"""What a person reads has an interval behind every figure that is of a sample."""

import pytest

from stages.console.show_run import show_rows, show_stage
from stages.console.show_studies import show_studies
from stages.monitor.report.model_figures import results_table
from stages.results.study_results import MeasuredWinner, SearchResult, ShownTrial, StudySummary
from stages.study_runs.table_rows import row, trial_rows
from transfer.metrics.scores import Scores, score

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def scores() -> Scores:
    import numpy as np

    truth = np.arange(60) % 3
    said = np.where(np.arange(60) < 12, (truth + 1) % 3, truth)
    return score(np.eye(3)[said], truth, ("anger", "joy", "sadness"))


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def trial(number: int, value: float) -> ShownTrial:
    figures = dict.fromkeys(("accuracy", "macro_f1", "weighted_f1"), value)
    told = {"trial": number, "value": value, "params": {}, "moved": "", "fresh": None, "scores": figures}
    return ShownTrial.model_validate(told | {"intervals": {name: interval(value) for name in figures}})


def study(best: ShownTrial, baseline: ShownTrial) -> StudySummary:
    counts = {"target": 2, "complete": 2, "pruned": 0, "failed": 0, "running": 0, "waiting": 0}
    return StudySummary(name="small · search · bert", best=best, baseline=baseline, **counts)


def test_the_table_of_models_has_those_of_accuracy_and_macro_f1(capsys: pytest.CaptureFixture[str]) -> None:
    told = row("TF-IDF", "reference", "test", scores())
    show_rows([told, *trial_rows("bert, untuned", "search", 60, trial(0, 0.5))])
    shown = told.model_dump()
    first, second = capsys.readouterr().out.splitlines()[1:3]
    for name in ("accuracy", "macro_f1"):
        ends = shown["intervals"][name]
        assert f"{shown[name]:.3f}  {ends['low']:.3f} to {ends['high']:.3f}" in first
    assert second.count("0.400 to 0.600") == 2


def test_so_has_that_of_the_pages() -> None:
    told = row("TF-IDF", "reference", "test", scores()).model_dump()
    low, high = (told["intervals"]["accuracy"][end] for end in ("low", "high"))
    assert f">{told['accuracy']:.3f} ({low:.3f} – {high:.3f})<" in results_table([told])
    assert ">0.500<" in results_table([{**told, "accuracy": 0.5, "intervals": None}])  # of an older run


def test_a_search_tells_those_of_winner_best_and_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    known = {
        "candidate": "bert",
        "study": "small · search · bert",
        "trial": 1,
        "value": 0.7,
        "name": "search/bert/trial-1",
    }
    winner = MeasuredWinner.model_validate({**known, "path": "there", "interval": interval(0.7)})
    show_stage(SearchResult(studies=[study(trial(1, 0.7), trial(0, 0.5))], winner=winner, rows=[]))
    out = capsys.readouterr().out
    assert "best 0.7000 (0.6000 to 0.8000), baseline 0.5000 (0.4000 to 0.6000)" in out
    assert "winner: bert, trial 1, 0.7000 (0.6000 to 0.8000)" in out


def test_the_best_that_is_the_baseline_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_studies([study(trial(0, 0.5), trial(0, 0.5))])
    assert "best and baseline 0.5000 (0.4000 to 0.6000)\n" in capsys.readouterr().out
