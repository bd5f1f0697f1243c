"""Correlations at several lags of the index with other series, economic, social or medical ones, from csv files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.monitor.analysis.dated_csv import dated_rows
from stages.monitor.schema.calendar import period_starts
from stages.monitor.schema.index_settings import OtherSeries
from stages.monitor.schema.line import Line, periods_of
from transfer.errors import UserError

Floats = NDArray[np.float64]

LEAST_PERIODS = 12  # pairs; with fewer a correlation is noise
RESAMPLES = 1000
Values = Mapping[date, float]


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of the index with the other series `lag` periods later, its 95 % interval, and how many pairs."""

    lag: int
    r: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class OtherSeriesLine:
    """One other series. drawn, raw: correlations by lag of the index as drawn and as counted; steps: of the changes
    from one period to the next, which common trends do not blow up. Empty where pairs are too few."""

    settings: OtherSeries
    drawn: tuple[Correlation, ...]
    raw: tuple[Correlation, ...]
    steps: tuple[Correlation, ...]

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def strongest(self) -> Correlation | None:
        """Of the index as drawn, the lag with the largest |r|."""
        return max(self.drawn, key=lambda correlation: abs(correlation.r), default=None)


def read_other(settings: OtherSeries, base: Path, where: str) -> Values:
    """Means of the series by start of period. where: the plan's key of it, for messages.

    Rows without a value are left out. Raises UserError where the file cannot be read (see dated_rows), or a value is no
    number.
    """
    path, days, values = base / settings.path, list[date](), list[float]()
    for line, day, text in dated_rows(path, settings.time, settings.value, where):
        days.append(day)
        values.append(_number(text, f"{where}: {path}, line {line}"))
    starts = period_starts(np.array(days, "datetime64[D]"), settings.every)
    unique, at = np.unique(starts, return_inverse=True)
    means = np.bincount(at, values) / np.bincount(at) if len(at) else np.array([])
    return dict(zip(unique.tolist(), means.tolist(), strict=True))


def _number(text: str, place: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{place}: {text!r} is no number", "leave the cell empty where there is no value")
    return number


def correlate(line: Line, settings: OtherSeries, values: Values, seed: int) -> OtherSeriesLine:
    """Correlations of the line's index with another series' values."""
    periods = periods_of(line, settings.every)
    other = np.array([values.get(period.start, np.nan) for period in periods])
    drawn = np.array([period.index.value if period.index else np.nan for period in periods])
    raw_of = [period.methods["raw"].index if period.methods else None for period in periods]
    raw = np.array([index.value if index else np.nan for index in raw_of])
    lags = range(-settings.lags, settings.lags + 1)
    steps = correlations(np.diff(drawn), np.diff(other), lags, seed)
    return OtherSeriesLine(
        settings, correlations(drawn, other, lags, seed), correlations(raw, other, lags, seed), steps
    )


def correlations(index: Floats, other: Floats, lags: Sequence[int], seed: int) -> tuple[Correlation, ...]:
    """At each lag, pairs with a gap (nan) left out; none where there are too few. index, other: (P,), period by period
    without holes."""
    found = (_correlation(index, other, lag, seed) for lag in lags)
    return tuple(correlation for correlation in found if correlation is not None)


def _correlation(index: Floats, other: Floats, lag: int, seed: int) -> Correlation | None:
    """At one lag, with a circular block bootstrap of the pairs: neighbouring periods are alike, so stretches of
    n^(1/3) of them are resampled and not single ones (Künsch 1989; Politis and Romano 1992)."""
    n = len(index) - abs(lag)
    if n < LEAST_PERIODS:
        return None
    x, y = (index[:n], other[lag:]) if lag >= 0 else (index[-lag:], other[:n])
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    if len(x) < LEAST_PERIODS or x.std() == 0 or y.std() == 0:
        return None
    length = int(np.ceil(len(x) ** (1 / 3)))
    firsts = np.random.default_rng(seed).integers(0, len(x), (RESAMPLES, -(-len(x) // length)))
    rows = ((firsts[:, :, None] + np.arange(length)) % len(x)).reshape(RESAMPLES, -1)[:, : len(x)]
    low, high = np.nanpercentile(_pearson(x[rows], y[rows]), [2.5, 97.5])
    return Correlation(lag, float(_pearson(x[None], y[None])[0]), float(low), float(high), len(x))


def _pearson(x: Floats, y: Floats) -> Floats:
    """Of each row, (B, N) -> (B,); nan where a row is constant."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((x * y).sum(axis=1) / np.sqrt(np.square(x).sum(axis=1) * np.square(y).sum(axis=1)))
