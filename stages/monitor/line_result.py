"""From a line and what is shown with it to the stage's result."""

from typing import Any

from stages.monitor.analysis.change_points import change_points
from stages.monitor.analysis.cross_correlation import OtherSeriesLine
from stages.monitor.analysis.distinctive_words import Words
from stages.monitor.analysis.forecast import Forecast, NoForecast
from stages.monitor.analysis.weight_sensitivity import sensitivity
from stages.monitor.report.context import NO_CONTEXT, Context
from stages.monitor.report.notes import method_reason, no_forecast_note
from stages.monitor.schema.line import Line, Period, Total, is_whole, without_ends
from stages.results.monitor_result import MonitorResult

Fields = dict[str, Any]  # of a type of monitor_result, whose own fields may be taken from objects here


def line_result(line: Line, context: Context = NO_CONTEXT) -> MonitorResult:
    """All estimates and analyses, without the files' paths."""
    fields = {
        "undated": line.undated,
        "periods": [_period(line, period) for period in line.periods],
        "prevalence": _drawn_method(line),
        "removed": line.removed,
        "overall": _total(line.overall),
        "sources": [_source(line, source) for source in line.sources],
        "changes": {every: change_points(line, every) for every in line.settings.every},
        "sensitivity": sensitivity(line),
        "series": [_correlations(other) for other in context.others],
        "events": context.events,
        "forecast": [_forecast(forecast) for forecast in context.forecasts],
        "words": context.words and _words(context.words),
    }
    return MonitorResult.model_validate(fields, from_attributes=True)


def _period(line: Line, period: Period) -> Fields:
    fields = {
        "every": period.every,
        "period": period.every,
        "start": period.start,
        "n": period.n,
        "clusters": period.clusters,
        "is_whole": is_whole(line, period),
        "shares": period.shares,
        "index": period.index,
    }
    return fields | ({"raw": period.methods.get("raw")} if line.is_corrected else {})


def _drawn_method(line: Line) -> Fields:
    return {
        "drawn": line.choice.drawn,
        "why": method_reason(line).en,
        "methods": line.choice.methods,
        "judged_on": line.gold and line.gold.kind,
        "judged": line.choice.gold_rows,
    }


def _total(total: Total) -> Fields:
    return {"name": total.name, "n": total.n, "clusters": total.clusters, "methods": total.methods}


def _source(line: Line, source: Total) -> Fields:
    return {**_total(source), "periods": [_period(line, period) for period in without_ends(source.periods)]}


def _correlations(other: OtherSeriesLine) -> Fields:
    return {"name": other.settings.name, "drawn": other.drawn, "raw": other.raw, "steps": other.steps}


def _forecast(forecast: Forecast | NoForecast) -> Fields:
    if isinstance(forecast, NoForecast):
        return {"every": forecast.every, "why": no_forecast_note(forecast).en, "periods": None, "backtest": None}
    return {"every": forecast.every, "why": None, "periods": forecast.points, "backtest": forecast.backtest}


def _words(words: Words) -> Fields:
    lists = [
        {
            "every": found.period and found.period.every,
            "start": found.period and found.period.start,
            "label": found.label,
            "against": found.against,
            "words": found.words,
        }
        for found in words.lists
    ]
    return {"read": words.read, "standing": words.periods, "told": lists}
