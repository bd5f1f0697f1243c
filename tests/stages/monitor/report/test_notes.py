"""Sentences of page and picture: what was computed, what warns, and what is missing."""

from dataclasses import replace
from datetime import date

from stages.monitor.analysis.backtest import backtest
from stages.monitor.analysis.forecast import Forecast
from stages.monitor.report.notes import footnotes, forecast_notes
from stages.monitor.schema.line import Line
from tests.helpers.made_up_forecasts import past_forecast


def test_the_page_describes_a_forecast_with_and_without_a_season_and_warns_of_a_poor_one() -> None:
    trials = tuple(past_forecast(origin, 1, 55, 49.5 if origin % 2 else 61) for origin in range(40))
    plain = tuple(replace(one, seasonal=None) for one in trials)
    for every, some, words in (("day", trials, "a weekly season"), ("week", plain, "fitted to 60 weeks")):
        forecast = Forecast(every, date(2020, 4, 1), (), 60, 1.3, backtest(some, 1), some)  # type: ignore[arg-type]
        english = " ".join(text[0] for text in forecast_notes(forecast))
        assert words in english
        assert "50 % of 40 values came within" in english
        assert "1.30 times as wide" in english
        assert "promised more than they held" in english
        assert ("the last one of its season" in english) is (every == "day")


def test_formula_weights_zone_gaps_and_limits_stand_below_the_picture(line: Line) -> None:
    days = [period for period in line.periods if period.every == "day"]
    english = " ".join(note[0] for note in footnotes(line, days))
    for words in (
        "50 + 50 × Σ weight(label) × share(label) / max |weight|",
        "분노 -1, 슬픔 -1, 중립 0, 기쁨 +1",
        "Days are those of UTC",
        "2 days with fewer than 20 comments are left as gaps",
        "do not hold the classifier's own errors",
    ):
        assert words in english, words
