"""The card's text, from figures that are given; on a whole run it is tested in tests/integration/test_export.py."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import UndefinedError

from stages.final_model.model_card import FIGURES, render
from stages.results.stage_result import Interval
from stages.results.study_results import ModelScores

EXPECTED = Path(__file__).parent / "expected_cards"


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.1, high=value + 0.05)


def model(name: str, epochs: int, **lineage: object) -> tuple[SimpleNamespace, str]:
    recipe = {"epochs": epochs}
    return SimpleNamespace(name=name, recipe=recipe, lineage=lineage), "bert (bert, 2 layers of 32 units)"


def facts() -> dict[str, Any]:
    of_labels = {label: {"f1": interval(0.5)} for label in ("anger", "joy")}
    intervals = {"accuracy": interval(0.75), "per_class": of_labels}
    report = {"n": 1234, "accuracy": 0.75, "brier": 0.25, "intervals": intervals}
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
        "data": {"train": [500, 700], "validation (chooses)": [10, 20]},
        "labelling": None,
        "models": [model("search/bert/trial-1", 3, fingerprint="abc", seed=13)],
        "reports": {"validation": report},
        "figures": FIGURES,
        "rows": [row, row.model_copy(update={"model": "bert", "low": 0.5, "high": 0.7})],
    }


class Labelling:
    labelled, labeller, kappa = 4595, {"model": "models/lm"}, interval(0.7)


def combined() -> dict[str, Any]:
    """An ensemble of two, of which all that may stand in a card stands there."""
    return facts() | {
        "is_simulation": True,
        "is_single_after_combining": True,
        "combination": "their mean by `weights`",
        "folder": "FOLDER/member-1",
        "formats": {"onnx": 1.25e-6, "openvino": 0.00012},
        "labelling": Labelling(),
        "models": [
            model("further/bert/trial-0", 3, fingerprint="abc", seed=13),
            model("distil/bert/trial-0", 4, fingerprint="def", seed=14, teacher=["a", "b"]),
        ],
        "reports": {},
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
