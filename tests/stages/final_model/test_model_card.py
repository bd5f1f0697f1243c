"""The card's text, from figures that are given; on a whole run it is tested in tests/integration/test_export.py."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from stages.final_model.model_card import CardScores, DataSplit, Figure, Training, render
from stages.results.model_scores import ModelScores
from stages.results.stage_result import Interval

EXPECTED = Path(__file__).parent / "expected_cards"


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.05)


def facts() -> dict[str, Any]:
    f1 = {label: interval(0.5) for label in ("anger", "joy")}
    scores = CardScores(1234, {"accuracy": Figure(0.75, interval(0.75)), "brier": Figure(0.25, None)}, f1)
    row = ModelScores(
        model="TF-IDF", stage="reference", split="test", n=40, accuracy=0.7, macro_f1=0.6, weighted_f1=0.5
    )
    return {
        "front_matter": "library_name: transformers",
        "title": "small: search/bert/trial-1",
        "is_simulation": False,
        "labels": ["anger", "joy"],
        "is_single_after_combining": False,
        "combination": None,
        "combination_file": "ensemble.json",
        "folder": "FOLDER",
        "max_length": 128,
        "formats": {},
        "data": [DataSplit("train", 1200, [500, 700]), DataSplit("validation (chooses)", 30, [10, 20])],
        "labelling": None,
        "models": [Training("search/bert/trial-1", "bert (bert, 2 layers of 32 units)", "epochs 3", None, "abc", 13)],
        "scores": {"validation": scores},
        "rows": [row, row.model_copy(update={"model": "bert", "low": 0.5, "high": 0.7})],
    }


class Labelling:
    labelled, labeller, kappa = 4595, {"model": "models/lm"}, interval(0.7)


def combined() -> dict[str, Any]:
    """An ensemble of two, of which all that may stand in a card stands there."""
    models = [
        Training("further/bert/trial-0", "bert (bert, 2 layers of 32 units)", "epochs 3", None, "abc", 13),
        Training("distil/bert/trial-0", "bert (bert, 2 layers of 32 units)", "epochs 4", ["a", "b"], "def", 14),
    ]
    return facts() | {
        "is_simulation": True,
        "is_single_after_combining": True,
        "combination": "their mean by `weights`",
        "folder": "FOLDER/member-1",
        "formats": {"onnx": 1.25e-6, "openvino": 0.00012},
        "labelling": Labelling(),
        "models": models,
        "scores": {},
    }


@pytest.mark.parametrize(("name", "given"), [("one_model.md", facts()), ("ensemble.md", combined())])
def test_the_cards_text_is_as_expected(name: str, given: dict[str, Any]) -> None:
    assert render(**given) == (EXPECTED / name).read_text(encoding="utf-8")


def test_without_gold_the_card_says_so() -> None:
    labelling = Labelling()
    labelling.kappa = None  # type: ignore[assignment]
    card = render(**facts() | {"labelling": labelling})
    assert "- pseudo-labels: 4,595 comments by models/lm; not measured, without gold\n" in card


def test_a_missing_fact_is_an_error() -> None:
    given = facts()
    del given["max_length"]
    with pytest.raises(UndefinedError, match="max_length"):
        render(**given)
