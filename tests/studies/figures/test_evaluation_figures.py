"""Pictures are drawn for few labels and many, Korean ones too, and word clouds say what they need."""

import sys
import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from studies.figures.evaluation_figures import (
    courses_png,
    figures_png,
    labels_png,
    matrix_png,
    reliability_png,
    words_png,
)
from transfer.metrics.evaluation_report import evaluation_report


def judged(k: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k, 200)
    probabilities = rng.dirichlet(np.ones(k), 200) + 0.5 * np.eye(k)[truth]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return evaluation_report(probabilities, truth, [f"감정 {i}" for i in range(k)], seed=0)


def inked(png: bytes) -> tuple[tuple[int, int], float]:
    """Size, and the share of pixels that are not white."""
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    return image.size, float((np.asarray(image.convert("L")) < 250).mean())


@pytest.mark.parametrize("k", [2, 4, 28])
def test_scores_are_drawn_without_a_glyph_missing(k: int) -> None:
    told = judged(k)
    labels = [f"감정 {i}" for i in range(k)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that no font has
        pictures = [
            matrix_png(told["confusion"], labels, "앙상블 on test"),  # type: ignore[arg-type]
            reliability_png(told["reliability"], told["ece"], "앙상블"),  # type: ignore[arg-type]
            figures_png(told["intervals"], labels, "앙상블"),  # type: ignore[arg-type]
            labels_png({"train": dict.fromkeys(labels, 7), "gold": {labels[0]: 3}, "none": {}}, labels),
        ]
    for png in pictures:
        (width, height), share = inked(png)
        assert width < 2000
        assert height < 6000
        assert 0.005 < share < 0.9


def test_each_models_course_is_a_line_of_its_own() -> None:
    epochs = [{"number": i, "loss": 1 / i, "value": 1 - 1 / i} for i in (1, 2, 3)]
    one = inked(courses_png({"search/a/trial-0": epochs}, "macro_f1"))
    several = inked(courses_png({f"search/a/trial-{i}": epochs for i in range(9)}, "macro_f1"))
    assert several[0][1] > one[0][1]
    judged_too = inked(courses_png({"search/a/trial-0": [{**e, "validation_loss": 1.0} for e in epochs]}, "macro_f1"))
    assert judged_too[0] == one[0]
    assert judged_too[1] > one[1], "validation's loss has a line, too"


def test_a_word_cloud_follows_from_its_words_and_seed() -> None:
    words: list[dict[str, float]] = [{"화가": 5.0, "싫어": 2.0}, {"좋다": 3.0}, {}]
    labels = ["분노", "행복", "중립"]
    first = words_png(words, labels, "words", seed=3)
    assert first == words_png(words, labels, "words", seed=3)
    assert first != words_png([words[1], words[0], {}], labels, "words", seed=3)
    assert inked(first)[1] > 0.02


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordcloud", None)
    with pytest.raises(ModuleNotFoundError, match=r"moodline\[pictures\]"):
        words_png([{"a": 1.0}], ["x"], "words", seed=0)
