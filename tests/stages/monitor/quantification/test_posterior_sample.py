"""A sample of all comments' probabilities: the same rows in whatever order they come."""

import numpy as np
import pytest

from stages.monitor.quantification import correction_bootstrap
from stages.monitor.quantification.correction_bootstrap import PosteriorSample

N = 500


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correction_bootstrap, "SAMPLED", 100)


def sampled(order: np.ndarray[tuple[int], np.dtype[np.int64]], cut: int) -> PosteriorSample:
    rng = np.random.default_rng(1)
    clusters = rng.integers(0, 2**63, N).astype(np.uint64)[order]
    times, bins = rng.integers(0, 10**9, N)[order], rng.integers(0, 8, N)[order]
    probabilities = rng.dirichlet([1, 1, 1], N)[order]
    sample = PosteriorSample(3)
    for rows in np.split(np.arange(N), [cut]):
        sample.add(clusters[rows], times[rows], bins[rows], probabilities[rows])
    return sample


def test_the_sample_does_not_depend_on_order_or_batches() -> None:
    one, other = sampled(np.arange(N), 400), sampled(np.random.default_rng(2).permutation(N), 10)
    assert np.array_equal(one.bins, other.bins)
    assert np.array_equal(one.probabilities, other.probabilities)
    assert one.probabilities.shape == (100, 3)


def test_fewer_rows_than_the_sample_holds_are_all_kept() -> None:
    sample = PosteriorSample(2)
    sample.add(np.arange(5, dtype=np.uint64), np.arange(5), np.arange(5), np.full((5, 2), 0.5))
    assert sorted(sample.bins.tolist()) == [0, 1, 2, 3, 4]


def test_the_sample_is_even_over_bins() -> None:
    counts = np.bincount(sampled(np.arange(N), 250).bins, minlength=8)
    assert counts.min() >= 4
