"""How a forecast would have done so far, from rolling origins: coverage of its intervals, its errors and naive ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stages.monitor.schema.index_settings import Every

RESAMPLES = 1000


@dataclass(frozen=True)
class PastForecast:
    """A forecast of the past: made at `origin`, the last period known then, `step` periods ahead, of the period that
    begins at `start`. observed: the index that came. naive: the last known one; seasonal: the last known one at the
    same place of the season, None where there is no season."""

    every: Every
    origin: date
    start: date
    step: int
    value: float
    low: float
    high: float
    observed: float
    naive: float
    seasonal: float | None


@dataclass(frozen=True)
class Backtest:
    """origins: periods from which was forecast. pairs: forecasts that met a value, which gaps have none of.
    coverage: what part of these lay in its 95 % interval, with a 95 % interval of that part. error, naive, seasonal:
    mean absolute errors in points of the index, seasonal None where there is no season. near, far: coverage one step
    ahead, and at the last step."""

    origins: int
    pairs: int
    coverage: float
    low: float
    high: float
    near: float
    far: float
    error: float
    naive: float
    seasonal: float | None

    @property
    def holds(self) -> bool:
        """Whether coverage is not clearly below 95 %."""
        return self.high >= 0.95

    @property
    def gains(self) -> bool:
        """Whether its errors are smaller than those of both naive forecasts."""
        return self.error < min(self.naive, self.naive if self.seasonal is None else self.seasonal)


def backtest(trials: Sequence[PastForecast], seed: int) -> Backtest:
    """All trials together.

    Forecasts from neighbouring origins err alike, so the interval of coverage resamples stretches of origins that are
    as long as the horizon (circular block bootstrap, Politis and Romano 1992).
    """
    held = np.array([trial.low <= trial.observed <= trial.high for trial in trials])
    steps = np.array([trial.step for trial in trials])
    origins, of = np.unique([trial.origin.toordinal() for trial in trials], return_inverse=True)
    low, high = _interval(np.bincount(of, held).astype(np.float64), np.bincount(of), _block(origins, trials), seed)
    seasonal = [trial for trial in trials if trial.seasonal is not None]
    return Backtest(
        origins=len(origins),
        pairs=len(trials),
        coverage=float(held.mean()),
        low=low,
        high=high,
        near=float(held[steps == steps.min()].mean()),
        far=float(held[steps == steps.max()].mean()),
        error=_error([trial.value for trial in trials], trials),
        naive=_error([trial.naive for trial in trials], trials),
        seasonal=_error([t.seasonal for t in seasonal if t.seasonal is not None], seasonal) if seasonal else None,
    )


def _error(values: Sequence[float], trials: Sequence[PastForecast]) -> float:
    return float(np.abs(np.array(values) - [trial.observed for trial in trials]).mean())


def _block(origins: NDArray[np.int64], trials: Sequence[PastForecast]) -> int:
    """How many origins in a row one horizon spans."""
    horizon = max(trial.start.toordinal() - trial.origin.toordinal() for trial in trials)
    apart = float(np.median(np.diff(origins))) if len(origins) > 1 else 1.0
    return int(min(max(1, np.ceil(horizon / apart)), max(1, len(origins) // 3)))


def _interval(held: NDArray[np.float64], counts: NDArray[np.int64], block: int, seed: int) -> tuple[float, float]:
    n = len(counts)
    firsts = np.random.default_rng(seed).integers(0, n, (RESAMPLES, -(-n // block)))
    rows = ((firsts[:, :, None] + np.arange(block)) % n).reshape(RESAMPLES, -1)[:, :n]
    low, high = np.percentile(held[rows].sum(axis=1) / counts[rows].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)
