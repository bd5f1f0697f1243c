"""The figures behind the page's plots, as plain data that page.js draws."""

from collections.abc import Sequence
from datetime import timedelta
from typing import get_args

from stages.monitor.analysis.change_points import change_points
from stages.monitor.analysis.events import within
from stages.monitor.analysis.forecast import Forecast
from stages.monitor.report.messages import index_name, message, template
from stages.monitor.report.page_context import NO_CONTEXT, Context
from stages.monitor.report.palette import looks
from stages.monitor.schema.calendar import MIDDLE
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Estimate, Line, Period, headline, periods_of, prominent, without_ends

LENGTHS = get_args(Every)
SHORT = 16  # digits of a hash that are shown


def line_data(line: Line, context: Context = NO_CONTEXT) -> dict[str, object]:
    """All that page.js reads: labels with their looks, words in both languages, and per length of period columns of
    equal length, null in gaps. Shares are in per cent, 0 to 100, as the index is. events: numbered from 1, as below the
    plot. shards: [number of the file's hash, first row, rows] each; files: those hashes; origins: runs of shards.
    """
    shown = prominent(line)
    return {
        "labels": [
            {"name": label, "colour": look.colour, "dash": look.web_dash, "isShown": label in shown}
            for label, look in looks(line).items()
        ],
        "hasIndex": line.settings.weights is not None,
        "first": headline(line),
        "lengths": line.settings.every,
        "words": {
            "index": index_name(line.settings),
            "comments": message("page.comments"),
            "volume": {every: message(f"volume.{every}") for every in LENGTHS},
            "beside": message(f"method.{line.thin_method}") if line.thin_method else None,
            "forecast": message("forecast.name"),
            "every": {every: message(f"period.{every}") for every in LENGTHS},
            "origin": template("page.origin"),
        },
        "events": [{"x": e.day.isoformat(), "text": e.text} for e in within(line, context.events)],
        "periods": {every: _columns(line, every, context) for every in line.settings.every},
        "sources": [
            {"name": source.name, **_figures(line, periods, line.settings.every[-1])}
            for source in line.sources
            if (periods := without_ends(source.periods))
        ],
        **_origins(context),
    }


def _columns(line: Line, every: Every, context: Context) -> dict[str, object]:
    return {
        **_figures(line, periods_of(line, every), every),
        "changes": [change.start.isoformat() for change in change_points(line, every)],
        "forecast": _forecast(context.forecast(every)),
        "origins": context.origins.periods[every] if context.origins else None,
    }


def _figures(line: Line, periods: Sequence[Period], every: Every) -> dict[str, object]:
    middle = timedelta(days=MIDDLE[every])
    return {
        "x": [(period.start + middle).isoformat() for period in periods],
        "n": [period.n for period in periods],
        "index": _bands([period.index for period in periods], 1),
        "shares": [_bands([period.shares[label] for period in periods], 100) for label in line.labels],
        "isGap": [period.is_gap for period in periods],
        "beside": _thin(line, periods),
    }


def _forecast(forecast: Forecast | None) -> dict[str, object] | None:
    if forecast is None:
        return None
    middle = timedelta(days=MIDDLE[forecast.every])
    return {
        "x": [(point.start + middle).isoformat() for point in forecast.points],
        **{name: [round(getattr(point, name), 3) for point in forecast.points] for name in ("value", "low", "high")},
    }


def _origins(context: Context) -> dict[str, object]:
    """The shards, each by numbers, for names and hashes repeat."""
    if context.origins is None:
        return {"shards": [], "files": [], "models": []}
    shards = context.origins.shards
    files = list(dict.fromkeys(shard.file for shard in shards))
    return {
        "shards": [[files.index(shard.file), shard.first_row, shard.rows] for shard in shards],
        "files": [file[:SHORT] for file in files],
        "models": sorted({shard.model for shard in shards}),
    }


def _thin(line: Line, periods: Sequence[Period]) -> dict[str, object] | None:
    """The thin line's values; None where there is no other estimate."""
    if line.thin_method is None:
        return None
    found = [period.methods.get(line.thin_method) for period in periods]
    shares = [[figures.shares[label] if figures else None for figures in found] for label in line.labels]
    return {
        "index": _bands([figures.index if figures else None for figures in found], 1)["value"],
        "shares": [_bands(of_label, 100)["value"] for of_label in shares],
    }


def _bands(found: Sequence[Estimate | None], scale: float) -> dict[str, list[float | None]]:
    values = {name: [getattr(share, name, None) for share in found] for name in ("value", "low", "high")}
    return {
        name: [None if value is None else round(value * scale, 3) for value in column]
        for name, column in values.items()
    }
