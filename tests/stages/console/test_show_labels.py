"""What is shown of labelling."""

import pytest

from stages.console.show_labels import show_label_stage
from stages.results.label_result import LabelResult
from tests.helpers.stored_label_result import STORED


def test_a_stored_result_is_shown_in_full(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    show_label_stage(LabelResult.model_validate(STORED))
    shown = capsys.readouterr().out
    for words in (
        "80 labelled, 0 without a label; kappa with gold 0.98 (0.93 to 1.00), accuracy 0.986, macro-F1 0.986",
        "calibrated on gold's tune half (bias); on the report half log-loss 0.772 to 0.158, calibration error",
        "models/lm and teacher: kappa 0.00 (0.00 to 0.00), 27.7% alike on 220 comments",
        "models/lm: 220 answers in all, 83,280 tokens",
        "against the 70 rows of gold's report half",
        "expected calibration error 0.130 over 70 answers",
    ):
        assert words in shown
