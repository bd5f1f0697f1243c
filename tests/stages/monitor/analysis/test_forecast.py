"""The forecast of the index: only where it is long enough, gaps left as gaps, and measured by its past."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from stages.monitor.analysis.backtest import PastForecast, backtest
from stages.monitor.analysis.forecast import Forecast, NoForecast, forecasts, needed
from stages.monitor.report.notes import forecast_notes
from stages.monitor.schema.index_settings import Every
from tests.helpers.made_up_lines import line_of

FORTNIGHT = {"day": 7, "week": 0, "month": 0}


def mood(n: int, seed: int, drift: float = 0.3) -> list[float | None]:
    """A wandering level, three points more at weekends, and noise."""
    rng = np.random.default_rng(seed)
    weekend = np.where(np.arange(n) % 7 >= 5, 3.0, 0.0)
    level = 50 + np.cumsum(drift * rng.normal(size=n)) + weekend + 1.2 * rng.normal(size=n)
    return [float(value) for value in level]


def of(index: Sequence[float | None], **settings: object) -> Forecast | NoForecast:
    (found,) = forecasts(line_of(index, "day", forecast=FORTNIGHT | settings))
    return found


def test_a_week_ahead_beats_repeating_the_last_value_and_gaps_stay_gaps() -> None:
    pytest.importorskip("statsmodels")
    index = mood(120, 5)
    index[80:84] = [None] * 4
    found = of(index)
    assert isinstance(found, Forecast)
    assert found.points[0].start == date(2020, 4, 30)
    assert len(found.points) == 7
    assert all(point.low < point.value < point.high for point in found.points)
    assert found.observed == 116
    assert found.backtest.error < found.backtest.naive
    assert found.backtest.coverage > 0.8
    gaps = {date(2020, 3, 21 + i) for i in range(4)}
    assert not gaps & {trial.start for trial in found.trials}  # nothing is put in their place, so nothing is met there


def test_a_backtest_knows_nothing_of_what_came_after() -> None:
    pytest.importorskip("statsmodels")
    index = mood(72, 3)
    one, other = of(index), of([*index[:60], *[20.0] * 12])
    assert isinstance(one, Forecast)
    assert isinstance(other, Forecast)
    change = date(2020, 3, 1)
    early = [[trial for trial in forecast.trials if trial.start < change] for forecast in (one, other)]
    assert len(early[0]) > 50
    assert early[0] == early[1]
    assert one.points != other.points


@pytest.mark.parametrize(
    ("index", "why"), [(mood(65, 1), "65 days are drawn, and 66 are needed"), ([50.0] * 80, "still")]
)
def test_a_line_too_short_or_without_movement_has_none_and_says_why(index: list[float | None], why: str) -> None:
    found = of(index)
    assert isinstance(found, NoForecast)
    assert why in forecast_notes(found)[0].en
    assert needed(7) == 66


@pytest.mark.parametrize("lately", [30, 1])
def test_a_line_with_a_long_gap_has_none_rather_than_one_that_nothing_checks(lately: int) -> None:
    found = of([*mood(80, 4), *[None] * 1300, *mood(lately, 5)])
    assert isinstance(found, NoForecast)
    assert "gaps" in forecast_notes(found)[0].en


def test_origins_of_a_backtest_are_periods_that_were_drawn() -> None:
    found = of([*mood(80, 6), *[None] * 40, *mood(80, 7)])
    assert isinstance(found, Forecast)
    gap = {date(2020, 1, 1) + timedelta(at) for at in range(80, 120)}
    assert not gap & {trial.origin for trial in found.trials}


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
    assert forecasts(line_of(mood(80, 1), "day", forecast=None)) == []
    assert forecasts(line_of(mood(80, 1), "day", forecast=FORTNIGHT | {"day": 0})) == []


def trial(origin: int, step: int, value: float, observed: float) -> PastForecast:
    day = date.fromordinal(737_000 + origin)
    return PastForecast("day", day, date.fromordinal(737_000 + origin + step), step, value, 40, 60, observed, 50, 51)


def test_coverage_and_errors_are_counted_and_a_poor_forecast_is_told_from_a_good_one() -> None:
    good = [trial(origin, step, 50, 49.5) for origin in range(20) for step in (1, 2)]
    measured = backtest(good, seed=1)
    assert (measured.origins, measured.pairs, measured.coverage) == (20, 40, 1.0)
    assert measured.error == measured.naive == 0.5
    assert measured.seasonal == 1.5
    assert measured.holds
    assert not measured.gains  # no better than repeating the last value
    poor = backtest([trial(origin, 1, 55, 49.5 if origin % 2 else 61) for origin in range(40)], seed=1)
    assert poor.coverage == 0.5
    assert 0.2 < poor.low < 0.5 < poor.high < 0.8
    assert not poor.holds


def test_the_page_tells_a_forecast_with_and_without_a_season_and_what_speaks_against_it() -> None:
    trials = tuple(trial(origin, 1, 55, 49.5 if origin % 2 else 61) for origin in range(40))
    plain = tuple(replace(one, seasonal=None) for one in trials)
    for every, some, words in (("day", trials, "a weekly season"), ("week", plain, "fitted to 60 weeks")):
        forecast = Forecast(every, date(2020, 4, 1), (), 60, 1.3, backtest(some, 1), some)  # type: ignore[arg-type]
        english = " ".join(text[0] for text in forecast_notes(forecast))
        assert words in english
        assert "50 % of 40 values came within" in english
        assert "1.30 times as wide" in english
        assert "promised more than they held" in english
        assert ("the last one of its season" in english) is (every == "day")


@pytest.mark.slow
def test_intervals_hold_what_comes_about_as_often_as_they_say() -> None:
    """Forty lines of 200 days: forecasts a week ahead, and what was observed, which the fit never saw."""
    pytest.importorskip("statsmodels")
    held = []
    for seed in range(40):
        index = mood(207, seed)
        found = of(index[:200])
        assert isinstance(found, Forecast)
        held += [a.low <= came <= a.high for a, came in zip(found.points, index[200:], strict=True) if came is not None]
    assert 0.9 <= np.mean(held) <= 0.99
