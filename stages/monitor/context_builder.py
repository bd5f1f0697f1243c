"""What the plan sets beside the line, and whatever else is told of it: series, events, forecast, words, origins."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from stages.monitor.aggregation.provenance import Origins, Shard, origins_of
from stages.monitor.analysis.cross_correlation import OtherSeriesLine, beside, read_other
from stages.monitor.analysis.distinctive_words import Words
from stages.monitor.analysis.events import Event, read_events
from stages.monitor.analysis.forecast import Forecast, Withheld, forecasts
from stages.monitor.covariate_words import line_words
from stages.monitor.report.context import Context
from stages.monitor.schema.line import Line
from stages.plan.schema import Plan
from stages.runtime.run_context import SHARDS, Run
from storage.records import shard_records as store
from transfer.errors import UserError, UserErrors


def check_beside(plan: Plan) -> None:
    """Reads the csv files of series and events.

    Raises UserError, or UserErrors: one for each file that cannot be read.
    """
    readings: list[Callable[[], object]] = [
        *(partial(read_other, x, plan.base, f"index.series[{i}]") for i, x in enumerate(plan.index.series)),
        *(partial(read_events, x, plan.base, f"index.events[{i}]") for i, x in enumerate(plan.index.events)),
    ]
    problems = list[UserError]()
    for reading in readings:
        try:
            reading()
        except UserError as problem:
            problems.append(problem)
    if problems:
        raise problems[0] if len(problems) == 1 else UserErrors(f"{len(problems)} problems of index", problems)


def beside_identity(plan: Plan) -> list[str]:
    """Content of the files of series and events; reading them, later, says what is wrong with one."""
    named = [*(series.path for series in plan.index.series), *(events.path for events in plan.index.events)]
    paths = [plan.base / path for path in named]
    return [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing" for path in paths]


def context_of(run: Run, line: Line, names: Sequence[str], shards: Sequence[Path]) -> Context:
    """names: of the shards in files; shards: where they lie here."""
    return Context(
        events=_events(run.plan),
        others=_others(run, line),
        forecasts=forecasts(line, run.plan.seed),
        words=line_words(run, line, shards),
        origins=_origins(run, line, names, shards),
    )


def _events(plan: Plan) -> list[Event]:
    found = [read_events(source, plan.base, f"index.events[{i}]") for i, source in enumerate(plan.index.events)]
    return [event for events in found for event in events]


def _others(run: Run, line: Line) -> list[OtherSeriesLine]:
    """The plan's other series beside the index; none where there is no index."""
    if run.plan.index.weights is None:
        return []
    return [
        beside(line, settings, read_other(settings, run.plan.base, f"index.series[{i}]"), run.plan.seed)
        for i, settings in enumerate(run.plan.index.series)
    ]


def _origins(run: Run, line: Line, names: Sequence[str], shards: Sequence[Path]) -> Origins | None:
    records = {record.path: record for record in store.shards_below(run.engine, run.plan.name, f"{SHARDS}/")}
    if not set(names) <= set(records):
        return None
    found = [
        Shard(name, record.file_sha, record.first_row, record.rows, name.split("/")[1])
        for name in names
        for record in [records[name]]
    ]
    return origins_of(line, found, shards)


def context_json(context: Context) -> dict[str, Any]:
    """`series`, `events`, `forecast` and `words`, ready for json.dumps."""
    return {
        "series": [{"name": other.settings.name, **_correlations(other)} for other in context.others],
        "events": [{"day": event.day.isoformat(), "text": event.text} for event in context.events],
        "forecast": [_forecast(forecast) for forecast in context.forecasts],
        "words": None if context.words is None else _words(context.words),
    }


def _correlations(other: OtherSeriesLine) -> dict[str, list[dict[str, object]]]:
    return {name: [asdict(c) for c in getattr(other, name)] for name in ("drawn", "raw", "steps")}


def _forecast(forecast: Forecast | Withheld) -> Mapping[str, Any]:
    """`periods` and `backtest`, both null where `why` tells why there is no forecast."""
    if isinstance(forecast, Withheld):
        return {"every": forecast.every, "why": forecast.why[0], "periods": None, "backtest": None}
    periods = [{**asdict(ahead), "start": ahead.start.isoformat()} for ahead in forecast.ahead]
    return {"every": forecast.every, "why": None, "periods": periods, "backtest": asdict(forecast.backtest)}


def _words(words: Words) -> dict[str, Any]:
    """`read` (comments), `standing` (periods that stand out) and `told`: words by period (null: the whole time)."""
    return {
        "read": words.read,
        "standing": [{**asdict(period), "start": period.start.isoformat()} for period in words.periods],
        "told": [
            {
                "every": told.period and told.period.every,
                "start": told.period and told.period.start.isoformat(),
                "label": told.label,
                "against": told.against,
                "words": [asdict(word) for word in told.words],
            }
            for told in words.told
        ],
    }
