"""Prediction-powered shares are for gold whose inclusion probabilities are known, and for nothing else."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stages.monitor import gold_predictions
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.method_choice import choose_method
from transfer.corpus.labelled import Labelled
from transfer.ensembling.combination import mixture_from

LABELS = ("joy", "anger")
TRUTH = np.array([0, 1] * 20)


@pytest.mark.parametrize(
    ("judged_on", "weights", "random_sample", "is_known"),
    [
        ("gold", None, False, False),
        ("gold", None, True, True),
        ("gold", np.full(40, 2.5), False, True),
        ("validation", None, True, False),  # the original's rows are no sample of the comments, whatever gold is
    ],
)
def test_inclusion_probabilities_come_from_golds_weights_or_the_plans_word(
    judged_on: str, weights: Any, random_sample: bool, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = "gold report" if judged_on == "gold" else "validation"
    rows = Labelled(["a"] * 40, TRUTH, [str(i) for i in range(40)], {}, weights)
    monkeypatch.setattr(gold_predictions, "_rows", lambda run: (split, rows))
    predictor = SimpleNamespace(records=["one"], how=mixture_from("mean"))
    monkeypatch.setattr(gold_predictions, "final_predictor", lambda run: predictor)
    predictions = np.tile(np.array([[0.7, 0.3]], np.float32), (40, 1))

    def cache(run: Any, texts: Any) -> Any:
        return SimpleNamespace(of=lambda record, split: predictions)

    monkeypatch.setattr(gold_predictions, "PredictionCache", cache)
    settings = IndexSettings.model_validate({"judged_on": judged_on, "prevalence": "ppi"})
    run: Any = SimpleNamespace(plan=SimpleNamespace(index=settings, gold=SimpleNamespace(random_sample=random_sample)))
    found = gold_predictions.gold_predictions(run)
    assert found is not None
    choice = choose_method(settings, found, LABELS)
    assert ("ppi" in choice.methods) is is_known
    assert choice.drawn == ("ppi" if is_known else "raw")
