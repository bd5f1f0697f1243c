"""Each text gets its label and probabilities; a text without a visible character is refused."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.final_model import evaluate
from stages.final_model.evaluate import run_predict
from stages.runtime.run_context import Run
from transfer.errors import UserError


def test_a_text_has_the_label_of_its_largest_probability(
    a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def probabilities(texts: Sequence[str]) -> NDArray[np.float32]:
        read.extend(texts)
        return np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], np.float32)

    chosen = SimpleNamespace(name="ensemble", probabilities=probabilities)
    monkeypatch.setattr(evaluate, "final_predictor", lambda *_: chosen)
    found = run_predict(a_run(), ["so   happy", "grr"])
    assert found.predictor == "ensemble"
    assert [(one.text, one.label) for one in found.predictions] == [("so   happy", "happiness"), ("grr", "anger")]
    assert found.predictions[0].probabilities == pytest.approx(
        {"anger": 0.1, "sadness": 0.2, "neutral": 0.3, "happiness": 0.4}
    )
    assert read[0] == "so happy"


@pytest.mark.parametrize(
    ("texts", "words"), [(["ok", " \u200b "], "text 2 of 2 is empty"), ([], "text 1 of 0 is empty")]
)
def test_an_empty_text_is_refused_before_a_model_is_loaded(
    a_run: Callable[..., Run], texts: list[str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        run_predict(a_run(), texts)
