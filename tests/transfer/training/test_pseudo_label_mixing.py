"""Stage two's training data holds the share, the threshold and the softness that a trial asks for."""

from typing import Any

import numpy as np
import pytest

from transfer.encoders.tokenization import Tokens
from transfer.training.pseudo_label_mixing import PseudoLabelled, mix, single_source
from transfer.training.recipe import Examples, one_hot

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


def test_a_pseudo_labels_weight_in_the_loss_is_apart_from_its_share_of_the_rows() -> None:
    mixed = mix(original(), pseudo(), PARAMS | {"pseudo_share": 0.4, "pseudo_weight": 0.5}, seed=1)
    assert len(mixed) == 40 + 60
    assert mixed.weights[0] / mixed.weights[-1] == pytest.approx(0.5)
    assert mixed.weights.mean() == pytest.approx(1.0, rel=1e-5)


def test_a_threshold_by_label_keeps_as_large_a_part_of_each_label() -> None:
    """Overall, the label that the labeller is never sure of would vanish."""
    source = pseudo(60)
    doubtful = source.label == 2
    source.probabilities[doubtful] = np.linspace(0.34, 0.4, 20)[:, None] * [0, 0, 1] + [0.3, 0.3, 0]
    source.probabilities[doubtful] /= source.probabilities[doubtful].sum(axis=1, keepdims=True)
    overall = mix(original(), source, PARAMS | {"confidence": 0.5, "pseudo_share": 1.0}, seed=1)
    by_label = mix(
        original(), source, PARAMS | {"confidence": 0.5, "confidence_by": "label", "pseudo_share": 1.0}, seed=1
    )
    assert overall.targets.sum(axis=0)[2] == 0
    assert by_label.targets.sum(axis=0).tolist() == [11, 11, 11]  # the median itself stays
    everything = mix(original(), source, PARAMS | {"confidence_by": "label", "pseudo_share": 1.0}, seed=1)
    surest = mix(original(), source, PARAMS | {"confidence": 1.0, "confidence_by": "label", "pseudo_share": 1.0}, 1)
    assert (len(everything), len(surest)) == (60, 3)


def test_a_threshold_by_label_leaves_answers_of_unknown_confidence_in() -> None:
    source = pseudo(12)
    source.probabilities[:6] = np.nan
    mixed = mix(original(), source, PARAMS | {"confidence": 1.0, "confidence_by": "label", "pseudo_share": 1.0}, 1)
    assert len(mixed) == 6 + 3


@pytest.mark.parametrize(("temperature", "expected"), [(0.5, 0.96), (1.0, 0.8), (2.0, 0.6)])
def test_temperature_sharpens_or_blurs_the_labellers_distribution(temperature: float, expected: float) -> None:
    source = pseudo(3)
    source.probabilities[:] = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    wanted = PARAMS | {"label_softness": 1.0, "label_temperature": temperature, "pseudo_share": 1.0}
    mixed = mix(original(), source, wanted, seed=1)
    assert mixed.targets[0, 0] == pytest.approx(
        0.8 ** (1 / temperature) / (0.8 ** (1 / temperature) + 2 * 0.1 ** (1 / temperature))
    )
    assert mixed.targets[0, 0] == pytest.approx(expected, abs=0.02)
    assert mixed.targets.sum(axis=1) == pytest.approx(1.0)


def test_a_temperature_leaves_answers_of_unknown_confidence_hard() -> None:
    source = pseudo(3)
    source.probabilities[:] = np.nan
    mixed = mix(original(), source, PARAMS | {"label_softness": 1.0, "label_temperature": 2.0}, seed=1)
    assert mixed.targets[:3].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(("rebalance", "ratio"), [(0.0, 1.0), (0.5, 3.0), (1.0, 9.0)])
def test_rebalancing_raises_rare_labels_within_each_source_and_leaves_the_share(rebalance: float, ratio: float) -> None:
    source = pseudo(40)
    label = np.array([0] * 36 + [1] * 4)
    source = PseudoLabelled(source.tokens, label, one_hot(label, 3))
    mixed = mix(original(), source, PARAMS | {"pseudo_share": 0.4, "rebalance": rebalance}, seed=1)
    assert mixed.weights[39] / mixed.weights[0] == pytest.approx(ratio, rel=1e-5)
    assert share(mixed) == pytest.approx(0.4, rel=1e-5)
    assert mixed.weights.mean() == pytest.approx(1.0, rel=1e-5)


def test_a_fresh_replay_has_other_original_rows_in_every_epoch_until_all_were_seen() -> None:
    wanted = PARAMS | {"pseudo_share": 0.5, "replay": "fresh", "epochs": 5}
    mixed = mix(original(), pseudo(), wanted, seed=1)
    seen = [{texts(mixed)[i] for i in mixed.rows(epoch)} for epoch in range(5)]
    assert {len(mixed.rows(epoch)) for epoch in range(5)} == {mixed.per_epoch} == {80}
    replayed = [{text for text in rows if text >= 1000} for rows in seen]
    assert not replayed[0] & replayed[1]
    assert set.union(*replayed) == set(range(1000, 1100))  # 200 draws of 100 rows
    assert all(set(range(40)) <= rows for rows in seen)
    assert np.average(mixed.weights, weights=mixed.appearances) == pytest.approx(1.0, rel=1e-5)


def test_a_fixed_replay_is_the_same_rows_in_every_epoch() -> None:
    mixed = mix(original(), pseudo(), PARAMS, seed=1)
    assert mixed.turns == ()
    assert mixed.rows(0).tolist() == mixed.rows(3).tolist()


@pytest.mark.parametrize("which", ["original", "pseudo"])
@pytest.mark.parametrize("wanted", [0.3, 0.8])
def test_a_source_alone_has_epochs_as_long_as_the_mixtures(which: str, wanted: float) -> None:
    params = PARAMS | {"pseudo_share": wanted, "epochs": 3}
    mixed = mix(original(), pseudo(), params, seed=1)
    control = single_source(which, original(), pseudo(), params, seed=1)  # type: ignore[arg-type]
    assert [len(control.rows(epoch)) for epoch in range(3)] == [len(mixed)] * 3
    assert all((text < 1000) == (which == "pseudo") for text in texts(control))
    counts = np.bincount(np.concatenate(control.turns), minlength=len(control))
    assert counts.max() - counts.min() <= 1  # a row comes again only when all have come


def test_pseudo_labels_alone_keep_to_the_threshold_where_any_passes() -> None:
    params = PARAMS | {"confidence": 0.9, "epochs": 2}
    strict = single_source("pseudo", original(), pseudo(), params, seed=1)
    assert 0 < len(strict) < 40
    nobody = single_source("pseudo", original(), pseudo(), params | {"confidence": 1.0}, seed=1)
    assert set(texts(nobody)) <= set(range(40))
