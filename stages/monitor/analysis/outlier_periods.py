"""Outlier periods: those in which an emotion's share is far above what is usual around them."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, Period, periods_of

Floats = NDArray[np.float64]

# periods on either side, from which the usual share is taken
AROUND: dict[Every, int] = {"day": 28, "week": 13, "month": 12}
LEAST_AROUND = 6
STANDS_OUT = 3.0  # deviations, of the usual spread or of the share's own error, whichever is larger
MAD = 1.4826  # of a normal distribution, a standard deviation over a median absolute deviation
WIDTH = 2 * 1.96  # of a 95 % interval, in standard errors


@dataclass(frozen=True)
class OutlierPeriod:
    """A period with the label that rises most in it. share, usual: of the drawn estimate, 0 to 1; score: deviations."""

    every: Every
    start: date
    label: str
    share: float
    usual: float
    score: float


def outlier_periods(line: Line, every: Every, most: int) -> list[OutlierPeriod]:
    """The `most` periods that stand out most, in the order of time; gaps and what lies around them left out."""
    periods = [period for period in periods_of(line, every) if not period.is_gap]
    if len(periods) <= LEAST_AROUND:
        return []
    scored = {label: _scores(periods, label, AROUND[every]) for label in line.labels}
    found = [_strongest(periods[i], {label: of[i] for label, of in scored.items()}) for i in range(len(periods))]
    ranked = sorted((one for one in found if one.score >= STANDS_OUT), key=lambda one: (-one.score, one.start))
    return sorted(ranked[:most], key=lambda one: one.start)


def _strongest(period: Period, scores: dict[str, tuple[float, float]]) -> OutlierPeriod:
    label = max(scores, key=lambda name: scores[name][0])
    share = period.shares[label]
    assert share is not None
    return OutlierPeriod(period.every, period.start, label, share.value, scores[label][1], scores[label][0])


def _scores(periods: list[Period], label: str, around: int) -> list[tuple[float, float]]:
    """(score, usual share) of each period, by median and median absolute deviation of the periods around it, so that
    one outlier neither hides itself nor another: Iglewicz and Hoaglin, How to detect and handle outliers (1993)."""
    values, errors = _shares(periods, label)
    found = []
    for i in range(len(values)):
        others = np.delete(values[max(0, i - around) : i + around + 1], min(i, around))
        usual = float(np.median(others))
        spread = MAD * float(np.median(np.abs(others - usual)))
        scale = max(spread, float(errors[i]), 1e-6)
        is_enough = len(others) >= LEAST_AROUND
        found.append(((float(values[i]) - usual) / scale if is_enough else 0.0, usual))
    return found


def _shares(periods: list[Period], label: str) -> tuple[Floats, Floats]:
    """(P,) values and standard errors; an error of 0 where there is no interval."""
    found = [share for period in periods if (share := period.shares[label]) is not None]
    errors = [(s.high - s.low) / WIDTH if s.high is not None and s.low is not None else 0.0 for s in found]
    return np.array([share.value for share in found]), np.array(errors)
