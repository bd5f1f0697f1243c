"""From a line and what is shown with it to the stage's result, which takes what it can from their own fields."""

from typing import Any

from stages.monitor.analysis.change_points import change_points
from stages.monitor.analysis.forecast import Forecast, NoForecast
from stages.monitor.analysis.weight_sensitivity import sensitivity
from stages.monitor.report.notes import method_reason, no_forecast_note
from stages.monitor.report.page_context import NO_CONTEXT, Context
from stages.monitor.schema.line import Line, Period, is_whole, without_ends
from stages.results.monitor_result import MonitorResult

Fields = dict[str, Any]  # of a type of monitor_result


def line_result(line: Line, context: Context = NO_CONTEXT) -> MonitorResult:
    """All estimates and analyses, without the files' paths."""
    choice, words = line.choice, context.words
    fields = {
        "undated": line.undated,
        "periods": [_period(line, period) for period in line.periods],
        "prevalence": {
            "drawn": choice.drawn,
            "why": method_reason(line).en,
            "methods": choice.methods,
            "judged_on": line.gold and line.gold.kind,
            "judged": choice.gold_rows,
        },
        "removed": line.removed,
        "overall": line.overall,
        "sources": [
            {**vars(source), "periods": [_period(line, period) for period in without_ends(source.periods)]}
            for source in line.sources
        ],
        "changes": {every: change_points(line, every) for every in line.settings.every},
        "sensitivity": sensitivity(line),
        "series": context.others,
        "events": context.events,
        "forecast": [_forecast(forecast) for forecast in context.forecasts],
        "words": words and {"read": words.read, "standing": words.periods, "told": words.lists},
    }
    return MonitorResult.model_validate(fields, from_attributes=True)


def _period(line: Line, period: Period) -> Fields:
    shown = {name: getattr(period, name) for name in ("every", "start", "n", "clusters", "shares", "index")}
    raw = {"raw": period.methods.get("raw")} if line.is_corrected else {}
    return {**shown, "period": period.every, "is_whole": is_whole(line, period), **raw}


def _forecast(forecast: Forecast | NoForecast) -> Fields:
    if isinstance(forecast, NoForecast):
        return {"every": forecast.every, "why": no_forecast_note(forecast).en, "periods": None, "backtest": None}
    return {"every": forecast.every, "why": None, "periods": forecast.points, "backtest": forecast.backtest}
