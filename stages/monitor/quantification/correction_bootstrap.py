"""Every estimate of every period with its resamples: each replicate refits the correction on resampled gold.

The comments' replicates come from resampled clusters (poisson_bootstrap.py), gold's from a Bayesian bootstrap;
replicate b of one goes with replicate b of the other, so that an interval has both errors.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stages.monitor.quantification.confidence_bins import ConfidenceBins
from stages.monitor.quantification.methods import adjusted, expectation_maximisation, prediction_powered, rates
from stages.monitor.quantification.poisson_bootstrap import mixed
from stages.monitor.quantification.posterior_calibration import calibrated, calibration
from stages.monitor.schema.index_settings import Method
from stages.monitor.schema.method_choice import COUNTED, GoldPredictions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Fit = Callable[[Floats, Floats], Floats]  # shares of bins (P, M), means of probabilities (P, K) -> shares (P, K)
GOLD_STREAM = 0x601D  # keeps gold's draws apart from everything else that the plan's seed decides
SAMPLED = 16_384  # rows: 500 for each of 32 bins


class PosteriorSample:
    """The rows with the smallest hashes of author, time and probabilities: the same rows in whatever order they come.

    They show what a bin's mean becomes once posteriors are calibrated, which is not linear in them.

    bins: (S,) their numbers. probabilities: (S, K).
    """

    def __init__(self, labels: int) -> None:
        self._hashes = np.empty(0, np.uint64)
        self.bins = np.empty(0, np.int64)
        self.probabilities = np.empty((0, labels))

    def add(self, clusters: Hashes, times: Integers, bins: Integers, probabilities: Floats) -> None:
        """Takes in rows, (N,) each, probabilities (N, K)."""
        bits = np.ascontiguousarray(probabilities[:, 0]).view(np.uint64) ^ times.view(np.uint64)
        hashes = mixed(clusters ^ mixed(bits))
        limit = self._hashes[-1] if len(self._hashes) == SAMPLED else np.uint64(2**64 - 1)
        rows = np.flatnonzero(hashes <= limit)
        joined = np.concatenate([self._hashes, hashes[rows]])
        kept = np.argsort(joined, kind="stable")[:SAMPLED]
        self._hashes = joined[kept]
        self.bins = np.concatenate([self.bins, bins[rows]])[kept]
        self.probabilities = np.concatenate([self.probabilities, probabilities[rows]])[kept]


class Correction:
    """The estimates of `methods`: raw and means need nothing, the others are fitted on gold rows, and again on each
    resample of them.

    bin_means: (M, K), the mean probabilities of the comments in each bin. sample: of all comments. gold: None where
    methods are raw and means alone.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        bins: ConfidenceBins,
        bin_means: Floats,
        sample: PosteriorSample,
        gold: GoldPredictions | None,
        resamples: int,
        seed: int,
    ) -> None:
        self.methods, self.bin_means = tuple(methods), bin_means
        plain: dict[Method, Fit] = {"raw": lambda shares, _: bins.by_label(shares), "means": lambda _, means: means}
        self._once, self._resampled = plain, [plain] * resamples
        if gold is not None and not set(methods) <= set(COUNTED):
            fitter = _Fitter(methods, bin_means, sample, gold)
            # Rubin, The Bayesian bootstrap (1981): weights from Exp(1), so no label ever vanishes from a resample
            draws = np.random.default_rng([seed, GOLD_STREAM]).exponential(size=(resamples, len(gold)))
            self._once = plain | fitter.fit(gold.weights)
            self._resampled = [plain | fitter.fit(gold.weights * draw) for draw in draws]

    def values(self, counts: Floats, means: Floats) -> dict[Method, Floats]:
        """Shares (P, K) by method. counts: (P, M), each period with at least one comment. means: (P, K)."""
        shares = counts / counts.sum(axis=1, keepdims=True)
        return {method: self._once[method](shares, means) for method in self.methods}

    def replicates(self, counts: Floats, means: Floats, resampled: NDArray[np.int32]) -> dict[Method, Floats]:
        """Shares (P, K, B) by method; nan where a resample drew no comment. resampled: (P, M, B), counts.

        The means of a resample are those of the period, moved by what its bins have shifted: what varies within a
        bin, whose probabilities hardly differ, is left out.
        """
        base = counts / counts.sum(axis=1, keepdims=True)
        n_labels, n_resamples = self.bin_means.shape[1], resampled.shape[2]
        found = {m: np.empty((len(counts), n_labels, n_resamples)) for m in self.methods}
        for b in range(n_resamples):
            counted = resampled[:, :, b].astype(np.float64)
            total = counted.sum(axis=1, keepdims=True)
            is_empty = total[:, 0] == 0
            shares = np.where(total > 0, counted / np.maximum(total, 1), base)
            shifted = np.maximum(means + (shares - base) @ self.bin_means, 0)
            shifted /= shifted.sum(axis=1, keepdims=True)
            for method, values in found.items():
                values[:, :, b] = self._resampled[b][method](shares, shifted)
                values[is_empty, :, b] = np.nan
        return found


class _Fitter:
    """Fits the methods on gold rows under any weights of them."""

    def __init__(
        self, methods: Sequence[Method], bin_means: Floats, sample: PosteriorSample, gold: GoldPredictions
    ) -> None:
        self.methods, self.bin_means, self.gold = methods, bin_means, gold
        order = np.argsort(sample.bins, kind="stable")
        self._bins, self._starts = np.unique(sample.bins[order], return_index=True)
        self._sampled = sample.probabilities[order]
        self._start: Floats | None = None

    def fit(self, weights: Floats) -> dict[Method, Fit]:
        """weights: (N,), positive."""
        truth, outputs = self.gold.truth, self.gold.probabilities
        found: dict[Method, Fit] = {}
        if "acc" in self.methods:
            counted = rates(np.eye(outputs.shape[1])[outputs.argmax(axis=1)], truth, weights)
            levels = len(self.bin_means) // len(counted)
            found["acc"] = lambda shares, _: adjusted(counted, shares.reshape(len(shares), -1, levels).sum(axis=2))
        if "pacc" in self.methods:
            averaged = rates(outputs, truth, weights)
            found["pacc"] = lambda _, means: adjusted(averaged, means)
        if "em" in self.methods:
            prior = np.bincount(truth, weights, minlength=outputs.shape[1]) / weights.sum()
            ratios = self._posteriors(weights) / prior
            found["em"] = lambda shares, _: expectation_maximisation(ratios, shares, prior)
        if "ppi" in self.methods:
            found["ppi"] = lambda _, means: prediction_powered(means, outputs, truth, weights)
        return found

    def _posteriors(self, weights: Floats) -> Floats:
        """(M, K): the mean calibrated posterior of each bin, from the sample; of a bin too rare to be in it, that of
        its mean probabilities; 0 where there are no comments."""
        gold = self.gold
        self._start = parameters = calibration(gold.probabilities, gold.truth, weights, self._start)
        found, is_there = np.zeros(self.bin_means.shape), self.bin_means.sum(axis=1) > 0
        found[is_there] = calibrated(parameters, self.bin_means[is_there])
        sums = np.add.reduceat(calibrated(parameters, self._sampled), self._starts, axis=0)
        found[self._bins] = sums / np.diff(self._starts, append=len(self._sampled))[:, None]
        return found
