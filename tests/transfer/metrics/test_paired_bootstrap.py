"""A paired difference is claimed where the texts support it, and its interval holds the truth as often as it says."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from transfer.metrics.paired_bootstrap import mean_interval, mean_macro_f1, paired_macro_f1_difference

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 300)


def noisy(truth: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Predictions of which about that share is drawn at random."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(truth)) < share, rng.integers(0, 3, len(truth)), truth)


def test_the_value_is_scikit_learns_difference_of_macro_f1() -> None:
    first, second = noisy(TRUTH, 0.3, 1), noisy(TRUTH, 0.5, 2)
    expected = f1_score(TRUTH, first, average="macro") - f1_score(TRUTH, second, average="macro")
    found = paired_macro_f1_difference([first], [second], TRUTH, 3, seed=1, resamples=50)
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high


def test_a_clear_gain_is_better_its_reverse_worse_and_nothing_is_not_shown() -> None:
    good, bad = noisy(TRUTH, 0.2, 1), noisy(TRUTH, 0.6, 2)
    assert paired_macro_f1_difference([good], [bad], TRUTH, 3, seed=1).verdict == "better"
    assert paired_macro_f1_difference([bad], [good], TRUTH, 3, seed=1).verdict == "worse"
    same = paired_macro_f1_difference([good], [good], TRUTH, 3, seed=1)
    assert (same.value, same.low, same.high, same.verdict) == (0, 0, 0, "not shown")


def test_a_few_more_right_of_a_small_sample_are_not_shown_to_be_better() -> None:
    truth = TRUTH[:40]
    second = noisy(truth, 0.5, 2)
    first = second.copy()
    wrong = np.flatnonzero(second != truth)[:1]
    first[wrong] = truth[wrong]
    found = paired_macro_f1_difference([first], [second], truth, 3, seed=1)
    assert found.value > 0
    assert found.verdict == "not shown"


def test_pairing_makes_the_interval_shorter_than_the_two_figures_own() -> None:
    second = noisy(TRUTH, 0.5, 2)
    first = second.copy()
    first[:30] = TRUTH[:30]
    paired = paired_macro_f1_difference([first], [second], TRUTH, 3, seed=1)
    _, low, high = mean_interval([first], TRUTH, 3, seed=1)
    assert paired.high - paired.low < 0.6 * (high - low)


def test_no_difference_is_claimed_about_as_seldom_as_the_interval_says() -> None:
    """Two classifiers that are equally good, on 100 samples of 150 texts: 5 % are expected to lie outside."""
    claimed = 0
    for i in range(100):
        truth = np.random.default_rng([5, i]).integers(0, 3, 150)
        pair = noisy(truth, 0.5, 2 * i + 100), noisy(truth, 0.5, 2 * i + 101)
        claimed += (
            paired_macro_f1_difference([pair[0]], [pair[1]], truth, 3, seed=i, resamples=200).verdict != "not shown"
        )
    assert 0 < claimed <= 12


def test_several_runs_count_by_their_mean_and_scatter_widens_the_interval() -> None:
    alike = [noisy(TRUTH, 0.4, 7)] * 3
    apart = [noisy(TRUTH, share, 7) for share in (0.1, 0.4, 0.7)]
    assert mean_macro_f1(apart, TRUTH, 3) == pytest.approx(np.mean([mean_macro_f1([a], TRUTH, 3) for a in apart]))
    _, low, high = mean_interval(alike, TRUTH, 3, seed=1)
    _, wide_low, wide_high = mean_interval(apart, TRUTH, 3, seed=1)
    assert wide_high - wide_low > 1.5 * (high - low)


def test_runs_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        paired_macro_f1_difference([TRUTH], [TRUTH, TRUTH], TRUTH, 3, seed=1)
