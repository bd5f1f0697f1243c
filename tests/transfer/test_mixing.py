"""Stage two's training data holds the share, the threshold and the softness that a trial asks for."""

from typing import Any

import numpy as np
import pytest

from transfer.encoding import Tokens
from transfer.finetune import Examples, one_hot
from transfer.mixing import PseudoLabelled, mix

PARAMS = {"pseudo_share": 0.5, "confidence": 0.0, "label_softness": 0.0}


def tokens(n: int, first: int) -> Tokens:
    """`n` texts of one token each, numbered from `first`, so that every text can be told."""
    return Tokens(np.arange(first, first + n, dtype=np.int32), np.arange(n + 1, dtype=np.int64), 0, 0)


def original(n: int = 100, weights: np.ndarray[Any, np.dtype[np.float32]] | None = None) -> Examples:
    given = np.ones(n, dtype=np.float32) if weights is None else weights
    return Examples(tokens(n, 1000), one_hot(np.arange(n) % 3, 3), given)


def pseudo(n: int = 40) -> PseudoLabelled:
    """Row i is labelled i % 3 with a confidence that rises from 0.4 to almost 1; the rest is spread evenly."""
    label = np.arange(n) % 3
    confidence = np.linspace(0.4, 0.99, n)
    probabilities = np.repeat((1 - confidence)[:, None] / 2, 3, axis=1)
    probabilities[np.arange(n), label] = confidence
    return PseudoLabelled(tokens(n, 0), label, probabilities.astype(np.float32))


def texts(examples: Examples) -> list[int]:
    return [int(examples.tokens[i][0]) for i in range(len(examples))]


def share(examples: Examples) -> float:
    """Part of the weight that lies on pseudo-labels."""
    is_pseudo = np.array(texts(examples)) < 1000
    return float(examples.weights[is_pseudo].sum() / examples.weights.sum())


@pytest.mark.parametrize("wanted", [0.01, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(("n_pseudo", "n_original"), [(40, 100), (40, 5), (3, 100)])
def test_the_share_of_the_weight_holds_whatever_there_is_of_each(wanted: float, n_pseudo: int, n_original: int) -> None:
    mixed = mix(original(n_original), pseudo(n_pseudo), PARAMS | {"pseudo_share": wanted}, seed=1)
    assert share(mixed) == pytest.approx(wanted, rel=1e-5)
    assert mixed.weights.mean() == pytest.approx(1.0, rel=1e-5)
    assert len(set(texts(mixed))) == len(mixed) == len(mixed.targets) == len(mixed.weights)


def test_where_there_is_enough_original_data_it_is_drawn_and_not_weighted() -> None:
    mixed = mix(original(), pseudo(), PARAMS | {"pseudo_share": 0.4}, seed=1)
    assert len(mixed) == 40 + 60
    assert mixed.weights == pytest.approx(1.0)


def test_targets_stay_with_their_texts() -> None:
    mixed = mix(original(), pseudo(), PARAMS, seed=1)
    for text, target in zip(texts(mixed), mixed.targets, strict=True):
        assert target.argmax() == (text - 1000 if text >= 1000 else text) % 3


def test_the_seed_draws_the_original_data() -> None:
    first, again, other = (texts(mix(original(), pseudo(), PARAMS, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_only_confident_comments_are_learnt_from() -> None:
    source = pseudo()
    mixed = mix(original(), source, PARAMS | {"confidence": 0.7}, seed=1)
    expected = np.flatnonzero(source.probabilities.max(axis=1) >= np.float32(0.7)).tolist()
    assert [text for text in texts(mixed) if text < 1000] == expected
    assert 0 < len(expected) < 40


@pytest.mark.parametrize("softness", [0.0, 0.25, 1.0])
def test_softness_leads_from_the_label_alone_to_the_whole_distribution(softness: float) -> None:
    source = pseudo()
    mixed = mix(original(), source, PARAMS | {"label_softness": softness}, seed=1)
    expected = (1 - softness) * one_hot(source.label, 3) + softness * source.probabilities
    np.testing.assert_allclose(mixed.targets[:40], expected, atol=1e-6)
    np.testing.assert_allclose(mixed.targets.sum(axis=1), 1.0, atol=1e-6)
    assert mixed.targets.dtype == np.float32


def test_an_unknown_confidence_passes_every_threshold_as_a_plain_label() -> None:
    source = pseudo()
    source.probabilities[::2] = np.nan
    mixed = mix(original(), source, PARAMS | {"confidence": 1.0, "label_softness": 1.0}, seed=1)
    passed = [text for text in texts(mixed) if text < 1000]
    assert passed == list(range(0, 40, 2))
    assert np.array_equal(mixed.targets[: len(passed)], one_hot(source.label[::2], 3))
    assert not np.isnan(mixed.weights).any()


@pytest.mark.parametrize(
    "params", [{"confidence": 1.0}, {"pseudo_share": 0.0}, {"confidence": 1.0, "pseudo_share": 1.0}]
)
def test_without_pseudo_labels_the_original_data_is_left(params: dict[str, float]) -> None:
    mixed = mix(original(), pseudo(), PARAMS | params, seed=1)
    assert texts(mixed) == list(range(1000, 1100))
    assert mixed.weights.tolist() == [1.0] * 100


def test_with_a_share_of_one_the_original_data_is_left_out() -> None:
    mixed = mix(original(), pseudo(), PARAMS | {"pseudo_share": 1.0}, seed=1)
    assert texts(mixed) == list(range(40))
    assert mixed.weights.tolist() == [1.0] * 40


def test_weights_of_the_original_data_keep_their_proportions() -> None:
    weights = np.tile(np.array([1.0, 3.0], dtype=np.float32), 5)
    mixed = mix(original(10, weights), pseudo(), PARAMS, seed=1)
    own = {text - 1000: weight for text, weight in zip(texts(mixed), mixed.weights, strict=True) if text >= 1000}
    assert own[1] / own[0] == pytest.approx(3.0)
    assert share(mixed) == pytest.approx(0.5)
