import numpy as np
import pytest

from stages.monitor.quantification.poisson_bootstrap import intervals, resampling_weights


def hashes(n: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def test_weights_are_poisson_with_mean_one_between_clusters_and_between_resamples() -> None:
    weights = resampling_weights(hashes(20_000, 1), seed=13, resamples=200).astype(float)
    assert weights.mean() == pytest.approx(1, abs=0.005)
    assert weights.var() == pytest.approx(1, abs=0.01)
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.005)
    between = np.corrcoef(weights[:, :40], rowvar=False) - np.eye(40)
    assert np.abs(between).max() < 0.04  # 5 standard errors


def test_a_cluster_has_the_same_weights_wherever_it_stands_and_others_under_another_seed() -> None:
    few = hashes(3, 2)
    again = resampling_weights(np.concatenate([hashes(2_000, 3), few]), 13, 200)[-3:]
    assert np.array_equal(resampling_weights(few, 13, 200), again)
    assert not np.array_equal(resampling_weights(few, 14, 200), again)
    assert resampling_weights(few, 13, 101).shape == (3, 101)


def test_intervals_cover_the_truth_about_as_often_as_they_should() -> None:
    """150 simulations of 120 authors with 1 to 12 comments each, who lean to one side."""
    covered, rng = 0, np.random.default_rng(4)
    for world in range(150):
        n = rng.integers(1, 13, 120)
        yes = rng.binomial(n, rng.beta(1.2, 2.8, 120))  # mean 0.3
        counts = np.stack([yes, n - yes]).astype(float)  # (K, authors)
        weights = resampling_weights(hashes(120, 100 + world), 13, 200).astype(float)
        resampled = counts @ weights
        lows, highs = intervals((resampled / resampled.sum(axis=0))[None])
        covered += lows[0, 0] <= 0.3 <= highs[0, 0]
    assert 0.88 <= covered / 150 <= 0.99
