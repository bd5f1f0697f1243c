"""Forecasts of a made-up index, and past ones to check them by."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from stages.monitor.analysis.backtest import PastForecast
from stages.monitor.analysis.forecast import Forecast, NoForecast, forecasts
from tests.helpers.made_up_lines import line_of

FORTNIGHT = {"day": 7, "week": 0, "month": 0}


def wandering_index(n: int, seed: int, drift: float = 0.3) -> list[float | None]:
    """A wandering level, three points more at weekends, and noise."""
    rng = np.random.default_rng(seed)
    weekend = np.where(np.arange(n) % 7 >= 5, 3.0, 0.0)
    level = 50 + np.cumsum(drift * rng.normal(size=n)) + weekend + 1.2 * rng.normal(size=n)
    return [float(value) for value in level]


def forecast_of(index: Sequence[float | None], **settings: object) -> Forecast | NoForecast:
    (found,) = forecasts(line_of(index, "day", forecast=FORTNIGHT | settings))
    return found


def past_forecast(origin: int, step: int, value: float, observed: float) -> PastForecast:
    day = date.fromordinal(737_000 + origin)
    return PastForecast("day", day, date.fromordinal(737_000 + origin + step), step, value, 40, 60, observed, 50, 51)
