"""What a forecast is checked by: past forecasts, which know nothing of what came after."""

from datetime import date, timedelta

import pytest

from stages.monitor.analysis.backtest import backtest
from stages.monitor.analysis.forecast import Forecast
from tests.helpers.made_up_forecasts import forecast_of, past_forecast, wandering_index


def test_a_backtest_knows_nothing_of_what_came_after() -> None:
    pytest.importorskip("statsmodels")
    index = wandering_index(72, 3)
    one, other = forecast_of(index), forecast_of([*index[:60], *[20.0] * 12])
    assert isinstance(one, Forecast)
    assert isinstance(other, Forecast)
    change = date(2020, 3, 1)
    early = [[trial for trial in forecast.trials if trial.start < change] for forecast in (one, other)]
    assert len(early[0]) > 50
    assert early[0] == early[1]
    assert one.points != other.points


def test_origins_of_a_backtest_are_periods_that_were_drawn() -> None:
    found = forecast_of([*wandering_index(80, 6), *[None] * 40, *wandering_index(80, 7)])
    assert isinstance(found, Forecast)
    gap = {date(2020, 1, 1) + timedelta(at) for at in range(80, 120)}
    assert not gap & {trial.origin for trial in found.trials}


def test_coverage_and_errors_are_counted_and_a_poor_forecast_is_recognised() -> None:
    good = [past_forecast(origin, step, 50, 49.5) for origin in range(20) for step in (1, 2)]
    measured = backtest(good, seed=1)
    assert (measured.origins, measured.pairs, measured.coverage) == (20, 40, 1.0)
    assert measured.error == measured.naive == 0.5
    assert measured.seasonal == 1.5
    assert measured.holds
    assert not measured.gains  # no better than repeating the last value
    poor = backtest([past_forecast(origin, 1, 55, 49.5 if origin % 2 else 61) for origin in range(40)], seed=1)
    assert poor.coverage == 0.5
    assert 0.2 < poor.low < 0.5 < poor.high < 0.8
    assert not poor.holds
