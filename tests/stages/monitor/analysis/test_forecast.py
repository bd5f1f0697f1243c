"""The forecast of the index: only where it is long enough, gaps left as gaps, and measured by its past."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from stages.monitor.analysis.forecast import Forecast, NoForecast, forecasts, needed
from stages.monitor.report.notes import forecast_notes
from stages.monitor.schema.index_settings import Every
from tests.helpers.made_up_forecasts import FORTNIGHT, forecast_of, wandering_index
from tests.helpers.made_up_lines import line_of


def test_a_week_ahead_beats_repeating_the_last_value_and_gaps_stay_gaps() -> None:
    pytest.importorskip("statsmodels")
    index = wandering_index(120, 5)
    index[80:84] = [None] * 4
    found = forecast_of(index)
    assert isinstance(found, Forecast)
    assert found.points[0].start == date(2020, 4, 30)
    assert len(found.points) == 7
    assert all(point.low < point.value < point.high for point in found.points)
    assert found.observed == 116
    assert found.backtest.error < found.backtest.naive
    assert found.backtest.coverage > 0.8
    gaps = {date(2020, 3, 21 + i) for i in range(4)}
    assert not gaps & {trial.start for trial in found.trials}  # nothing is put in their place, so nothing is met there


@pytest.mark.parametrize(
    ("index", "why"), [(wandering_index(65, 1), "65 days are drawn, and 66 are needed"), ([50.0] * 80, "still")]
)
def test_a_line_too_short_or_without_movement_has_none_and_gives_the_reason(
    index: list[float | None], why: str
) -> None:
    found = forecast_of(index)
    assert isinstance(found, NoForecast)
    assert why in forecast_notes(found)[0].en
    assert needed(7) == 66


@pytest.mark.parametrize("lately", [30, 1])
def test_a_line_with_a_long_gap_has_none_rather_than_one_that_nothing_checks(lately: int) -> None:
    found = forecast_of([*wandering_index(80, 4), *[None] * 1300, *wandering_index(lately, 5)])
    assert isinstance(found, NoForecast)
    assert "gaps" in forecast_notes(found)[0].en


@pytest.mark.parametrize(("every", "days"), [("week", 4), ("month", 17)])
def test_a_period_that_still_goes_on_is_forecast_as_a_whole_and_not_from(every: Every, days: int) -> None:
    pytest.importorskip("statsmodels")
    rng = np.random.default_rng(3)
    index = [float(value) for value in 50 + 2 * rng.normal(size=70)]
    line = line_of([*index, 90.0], every, forecast={"day": 0, "week": 2, "month": 2})
    start = line.periods[-1].start
    partial = replace(line, last=start + timedelta(days))
    (found,) = forecasts(partial)
    assert isinstance(found, Forecast)
    assert (found.observed, found.points[0].start) == (70, start)
    assert found.points[0].value < 60
    (whole,) = forecasts(line)
    assert isinstance(whole, Forecast)
    assert (whole.observed, whole.points[0].start > start) == (71, True)


def test_none_is_made_where_the_plan_wants_none() -> None:
    assert forecasts(line_of(wandering_index(80, 1), "day", forecast=None)) == []
    assert forecasts(line_of(wandering_index(80, 1), "day", forecast=FORTNIGHT | {"day": 0})) == []


@pytest.mark.slow
def test_forecast_intervals_cover_about_as_often_as_they_should() -> None:
    """Forty lines of 200 days: forecasts a week ahead, and what was observed, which the fit never saw."""
    pytest.importorskip("statsmodels")
    covered = []
    for seed in range(40):
        index = wandering_index(207, seed)
        found = forecast_of(index[:200])
        assert isinstance(found, Forecast)
        covered += [
            a.low <= came <= a.high for a, came in zip(found.points, index[200:], strict=True) if came is not None
        ]
    assert 0.9 <= np.mean(covered) <= 0.99
