"""Rows of the table of models have an interval behind every figure."""

import pytest

from stages.console.show_run import show_rows
from stages.study_runs.table_rows import row, trial_rows
from tests.helpers.shown_studies import scores, trial


def test_the_table_of_models_has_intervals_of_accuracy_and_macro_f1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = row("TF-IDF", "reference", "test", scores())
    show_rows([result, *trial_rows("bert, untuned", "search", 60, trial(0, 0.5))])
    shown = result.model_dump()
    first, second = capsys.readouterr().out.splitlines()[1:3]
    for name in ("accuracy", "macro_f1"):
        ends = shown["intervals"][name]
        assert f"{shown[name]:.3f}  {ends['low']:.3f} to {ends['high']:.3f}" in first
    assert second.count("0.400 to 0.600") == 2
