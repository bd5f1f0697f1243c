"""Whether one set of predictions is better than another on the same texts: paired bootstraps, 95 % intervals.

Both sides are resampled by the same rows, so that what is easy or hard for both does not blur the difference.
Koehn, Statistical Significance Tests for Machine Translation Evaluation (2004), sections 4 and 5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from transfer.metrics.bootstrap import RESAMPLES, RowSums, interval, resampled_interval
from transfer.metrics.scores import STATISTICS, Floats, Ints, Statistic, confusion_matrix, macro_f1_of

COMPARED = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier")
RUN_RESAMPLES = 2000  # of rows and runs together
Verdict = Literal["better", "worse", "not shown"]


def paired_metric_differences(one: Floats, other: Floats, truth: Ints, *, seed: int) -> dict[str, dict[str, float]]:
    """What `one` has more than `other`, {"value", "low", "high"} for each name of COMPARED.

    one, other: (N, K) probabilities of the same texts. truth: (N,) in [0, K).
    """
    both = [RowSums.of(probabilities, truth) for probabilities in (one, other)]
    whole = [rows.figures(rows.total()) for rows in both]
    spread = [rows.figures(rows.resampled(seed, RESAMPLES)) for rows in both]  # the same seed, so the same rows
    return {
        name: interval(whole[0][name][0] - whole[1][name][0], spread[0][name] - spread[1][name]) for name in COMPARED
    }


def bootstrap_gain(
    statistic: Statistic,
    predicted: tuple[Ints, Ints],
    truth: Ints,
    n_labels: int,
    *,
    seed: int,
    weights: Floats | None = None,
) -> tuple[float, float, float]:
    """What the second of two predictions gains over the first: (difference, low, high); NaN where the statistic is.

    predicted: two times (N,) labels in [0, n_labels). Otherwise as bootstrap_interval.
    """
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)

    def gain(rows: Ints) -> float:
        tables = (confusion_matrix(labels[rows], truth[rows], n_labels, mass[rows]) for labels in predicted)
        before, after = map(STATISTICS[statistic], tables)
        return after - before

    return resampled_interval(gain, len(truth), seed=seed, resamples=RESAMPLES)


@dataclass(frozen=True)
class Difference:
    """A difference of macro-F1 with its interval; `verdict` on the first as against the second."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """ "better" or "worse" only where the whole interval lies on one side of 0."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "not shown"

    def as_dict(self) -> dict[str, object]:
        """`difference`, `low`, `high` and `verdict`."""
        return {"difference": self.value, "low": self.low, "high": self.high, "verdict": self.verdict}


def paired_macro_f1_difference(
    first: Sequence[Ints],
    second: Sequence[Ints],
    truth: Ints,
    n_labels: int,
    *,
    seed: int,
    resamples: int = RUN_RESAMPLES,
) -> Difference:
    """Mean macro-F1 of the first's runs less that of the second's.

    first, second: predictions (N,) of each run; where there are several runs, as many of both, and run i of both
    shares what is random: runs are resampled too, in pairs. truth: (N,) in [0, n_labels). Raises ValueError where the
    numbers of runs differ. Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 10.3.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} runs are no pairs with {len(second)}")

    def gain(*resample: Ints) -> float:
        return mean_macro_f1(first, truth, n_labels, *resample) - mean_macro_f1(second, truth, n_labels, *resample)

    return Difference(*_over_rows_and_runs(gain, len(truth), len(first), seed, resamples))


def mean_interval(runs: Sequence[Ints], truth: Ints, n_labels: int, *, seed: int) -> tuple[float, float, float]:
    """Mean macro-F1 of several runs' predictions (N,) with its interval: (mean, low, high).

    Rows and runs are both resampled, so that it holds the uncertainty of the sample and of the seeds. Few runs know
    little of how they scatter: with three the part of the seeds is too short by a factor of up to √(2/3).
    """
    value = partial(mean_macro_f1, runs, truth, n_labels)
    return _over_rows_and_runs(value, len(truth), len(runs), seed, RUN_RESAMPLES)


def mean_macro_f1(
    runs: Sequence[Ints], truth: Ints, n_labels: int, rows: Ints | None = None, which: Ints | None = None
) -> float:
    """Mean over the runs, or those of `which`, of macro-F1 on all rows or on `rows`; an unused label counts 0."""
    rows = np.arange(len(truth)) if rows is None else rows
    used, often = np.unique(np.arange(len(runs)) if which is None else which, return_counts=True)
    values = [macro_f1_of(confusion_matrix(runs[int(i)][rows], truth[rows], n_labels)) for i in used]
    return float(np.average(values, weights=often))


def _over_rows_and_runs(
    value: Callable[..., float], rows: int, runs: int, seed: int, resamples: int
) -> tuple[float, float, float]:
    rng = np.random.default_rng(seed)
    values = [value(rng.integers(0, rows, size=rows), rng.integers(0, runs, size=runs)) for _ in range(resamples)]
    low, high = np.percentile(values, [2.5, 97.5])
    return value(), float(low), float(high)
