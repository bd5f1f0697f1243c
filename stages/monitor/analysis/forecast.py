"""The index a few periods ahead, from a state-space model of statsmodels that leaves gaps as gaps.

How such forecasts did in the past is measured on the line itself: see backtest.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.monitor.analysis.backtest import Backtest, PastForecast, backtest
from stages.monitor.schema.calendar import next_start
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, whole_periods_of

Floats = NDArray[np.float64]
Reason = Literal["too_short", "too_many_gaps", "no_statsmodels", "constant"]

SEASON: dict[Every, int | None] = {"day": 7, "week": None, "month": 12}
# 40: variances of level and noise are guesses below; 20 origins: with fewer, coverage is known to ± 10 points at best
LEAST_TRAINING, LEAST_ORIGINS = 40, 20
MOST_ORIGINS, REFIT = 40, 4  # origins, of which each fourth has the model fitted again, on what was known by then
LEAST_ERRORS = 20  # of the past, from which intervals are widened
LONGEST = 730  # periods that a fit sees: older ones matter little for next week
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class ForecastPoint:
    """One period to come: its first day, the index expected, and the 95 % interval of what will be counted."""

    start: date
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """The index of the next periods, and how such forecasts did in the past.

    last: the first day of the last whole period that is drawn. points: the periods after it, so that a month which
    still goes on is forecast as a whole. observed: periods that the model is fitted on, gaps left out. widened: by how
    much intervals are wider than the model's, 1 at least. trials: the forecasts of the past behind `backtest`."""

    every: Every
    last: date
    points: tuple[ForecastPoint, ...]
    observed: int
    widened: float
    backtest: Backtest
    trials: tuple[PastForecast, ...]


@dataclass(frozen=True)
class NoForecast:
    """A length of period without a forecast, and why. observed: periods that are drawn; horizon: periods that were to
    be forecast."""

    every: Every
    reason: Reason
    observed: int
    horizon: int


def forecasts(line: Line, seed: int = 0) -> list[Forecast | NoForecast]:
    """For each length of period that the plan wants a forecast of: one, or why there is none. The drawn index."""
    wanted = line.settings.forecast
    if wanted is None or line.settings.weights is None:
        return []
    return [_forecast(line, every, n, seed) for every in line.settings.every if (n := getattr(wanted, every))]


def needed(horizon: int) -> int:
    """Periods, gaps left out, below which there is no forecast `horizon` periods ahead."""
    return LEAST_TRAINING + LEAST_ORIGINS + horizon - 1


def _forecast(line: Line, every: Every, horizon: int, seed: int) -> Forecast | NoForecast:
    periods = whole_periods_of(line, every)
    values = np.array([period.index.value if period.index else np.nan for period in periods])
    observed = int(np.isfinite(values).sum())
    reason = _reason_against(values, horizon)
    if reason is not None:
        return NoForecast(every, reason, observed, horizon)
    starts = _starts(periods[0].start, every, len(periods) + horizon)
    trials, ratios = _trials(values, starts, every, horizon)
    if len({trial.origin for trial in trials}) < LEAST_ORIGINS:
        return NoForecast(every, "too_many_gaps", observed, horizon)
    widened = _widening([ratio for _, ratio in ratios])
    found = predicted(values, every, horizon)
    points = tuple(
        ForecastPoint(day, *_within(*one, widened)) for day, one in zip(starts[-horizon:], found, strict=True)
    )
    fitted_on = int(np.isfinite(values[-LONGEST:]).sum())
    return Forecast(every, periods[-1].start, points, fitted_on, widened, backtest(trials, seed), trials)


def _reason_against(values: Floats, horizon: int) -> Reason | None:
    """Why there can be no forecast; None where one can be tried."""
    if np.isfinite(values).sum() < needed(horizon):
        return "too_short"
    if np.isfinite(values[-LONGEST:]).sum() < LEAST_TRAINING or len(_origins(values, horizon)) < LEAST_ORIGINS:
        return "too_many_gaps"
    if find_spec("statsmodels") is None:
        return "no_statsmodels"
    if np.nanstd(values) < 1e-6 or np.nanstd(values[-LONGEST:]) < 1e-6:
        return "constant"
    return None


def _origins(values: Floats, horizon: int) -> NDArray[np.int64]:
    """Periods of the past to forecast from, spread evenly: drawn ones, as the last one is, with enough to fit on."""
    there = np.isfinite(values)
    before = np.concatenate([[0], np.cumsum(there)])
    at = np.flatnonzero(there)
    at = at[at <= len(values) - 1 - horizon]
    at = at[before[at + 1] - before[np.maximum(0, at + 1 - LONGEST)] >= LEAST_TRAINING]
    spread = np.linspace(0, len(at) - 1, min(MOST_ORIGINS, len(at))).round().astype(np.int64)
    found: NDArray[np.int64] = at[np.unique(spread)]
    return found


def _starts(first: date, every: Every, n: int) -> list[date]:
    """The first days of n periods in a row."""
    starts: list[np.datetime64] = [np.datetime64(first)]
    while len(starts) < n:
        starts.append(next_start(starts[-1], every))
    return [date.fromisoformat(str(start)) for start in starts]


def _trials(
    values: Floats, starts: Sequence[date], every: Every, horizon: int
) -> tuple[tuple[PastForecast, ...], list[tuple[int, float]]]:
    """Forecasts from origins in the past, each with what was known by then alone, with what was observed later; and
    (place of the period, error in standard errors) of each."""
    origins = _origins(values, horizon)
    fit, found, ratios = _fitted(values[: origins[0] + 1], every), list[PastForecast](), list[tuple[int, float]]()
    for number, origin in enumerate(origins.tolist()):
        known = values[: origin + 1]
        fit = _fitted(known, every) if number and number % REFIT == 0 else fit
        widened = _widening([ratio for at, ratio in ratios if at <= origin])
        for step, (value, error) in enumerate(_forecast_from(fit, known, horizon), start=1):
            observed = float(values[origin + step])
            if math.isfinite(observed):
                when, naive = (starts[origin], starts[origin + step]), (_naive(known), _seasonal(known, step, every))
                found.append(PastForecast(every, *when, step, *_within(value, error, widened), observed, *naive))
                ratios.append((origin + step, abs(observed - value) / max(error, 1e-9)))
    return tuple(found), ratios


def _widening(ratios: Sequence[float]) -> float:
    """By how much intervals must be wider for 95 % of past errors to lie within them; never narrower than the model's.

    The quantile with the correction for few errors of split conformal prediction: Lei, G'Sell, Rinaldo, Tibshirani and
    Wasserman, Distribution-free predictive inference for regression (JASA 2018). 1 where they are too few.
    """
    if len(ratios) < LEAST_ERRORS:
        return 1.0
    level = min(1.0, np.ceil(0.95 * (len(ratios) + 1)) / len(ratios))
    return max(1.0, float(np.quantile(ratios, level, method="higher")) / Z)


def _within(value: float, error: float, widened: float) -> tuple[float, float, float]:
    """Value, low and high, on the index's scale."""
    reach = Z * error * widened
    low, middle, high = (min(100.0, max(0.0, at)) for at in (value - reach, value, value + reach))
    return middle, low, high


def _naive(known: Floats) -> float:
    """The last value there is."""
    return float(known[np.isfinite(known)][-1])


def _seasonal(known: Floats, step: int, every: Every) -> float | None:
    """The last value there is at the same place of the season."""
    season = SEASON[every]
    if season is None:
        return None
    same = known[::-1][(-step) % season :: season]
    same = same[np.isfinite(same)]
    return float(same[0]) if len(same) else None


def predicted(known: Floats, every: Every, horizon: int) -> list[tuple[float, float]]:
    """Index and standard error of the next `horizon` periods. known: (P,), nan in gaps, two values at least.

    A local level with noise and, by day and month, a fixed season, fitted by maximum likelihood (Harvey, Forecasting,
    structural time series models and the Kalman filter, 1989, chapter 2). The Kalman filter passes over gaps: nothing
    is put in their place. The error is that of what will be counted, the noise of counting included. That level,
    noise and season may differ from the fitted ones is not included: _widening makes up for it.
    """
    return _forecast_from(_fitted(known, every), known, horizon)


@dataclass(frozen=True)
class _Fit:
    """Variances found, in units of `spread` around `middle`. season: None where the periods are too few for one."""

    middle: float
    spread: float
    season: int | None
    variances: Floats

    def model(self, known: Floats) -> Any:
        from statsmodels.tsa.statespace.structural import UnobservedComponents

        scaled = (known[-LONGEST:] - self.middle) / self.spread
        return UnobservedComponents(scaled, level="llevel", seasonal=self.season, stochastic_seasonal=False)


def _fitted(known: Floats, every: Every) -> _Fit:
    recent = known[-LONGEST:]
    season = SEASON[every] if np.isfinite(recent).sum() >= 3 * (SEASON[every] or 1) else None
    empty = _Fit(float(np.nanmean(recent)), float(np.nanstd(recent)) or 1.0, season, np.empty(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance at its bound of 0, and the like: the backtest measures the outcome
        variances = np.asarray(empty.model(known).fit(disp=False, maxiter=100).params)
    return replace(empty, variances=variances)


def _forecast_from(fit: _Fit, known: Floats, horizon: int) -> list[tuple[float, float]]:
    found = fit.model(known).filter(fit.variances).get_forecast(horizon)
    values, errors = fit.middle + fit.spread * found.predicted_mean, fit.spread * found.se_mean
    return list(zip(values.tolist(), errors.tolist(), strict=True))
