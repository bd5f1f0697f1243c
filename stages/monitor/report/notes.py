"""What a reader must know about a line, sentence by sentence: which of the catalogue's sentences apply to it."""

from collections.abc import Sequence
from functools import reduce

from stages.monitor.analysis.backtest import Backtest
from stages.monitor.analysis.events import within
from stages.monitor.analysis.forecast import LEAST_ORIGINS, LEAST_TRAINING, Forecast, NoForecast, needed
from stages.monitor.analysis.weight_sensitivity import DRAWS, sensitivity
from stages.monitor.report.messages import Text, index_name, message, sentences
from stages.monitor.report.page_context import Context
from stages.monitor.schema.emotion_index import weights_text
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, Period, is_whole, periods_of


def method_notes(line: Line) -> list[Text]:
    """How the figures came about: counting, correction, index, days, gaps."""
    return [
        method_reason(line),
        message(f"assumption.{line.choice.drawn}"),
        *([_gold_rows(line)] if line.is_corrected else []),
        *other_domain_warning(line),
        index_note(line),
        message("time_zone", timezone=line.settings.timezone),
        _gaps(line),
        *_incomplete_periods(line),
        *removed_notes(line),
        *_sensitivity(line),
    ]


def method_reason(line: Line) -> Text:
    """Why this estimate is drawn: the plan's reason or a usual one, or why the plan's estimate cannot be given."""
    settings, choice = line.settings, line.choice
    if choice.fallback is None:
        own = settings.prevalence_reason
        reason = message(f"usual_reason.{choice.drawn}") if own is None else Text(own, own)
        return message("method_drawn", name=method_name(line), method=choice.drawn, reason=reason)
    return message(
        f"fallback.{choice.fallback.reason}",
        method=settings.prevalence,
        needed=settings.min_gold,
        label=choice.fallback.label,
        rows=choice.fallback.rows,
    )


def method_name(line: Line) -> Text:
    """Of the estimate drawn bold."""
    return message(f"method.{line.choice.drawn}")


def warnings(line: Line) -> list[Text]:
    """What a reader must know before the picture: an estimate that could not be given, a basis that does not fit."""
    return [*([method_reason(line)] if line.choice.fallback else []), *other_domain_warning(line)]


def other_domain_warning(line: Line) -> list[Text]:
    """One text where the correction rests on texts that are no comments."""
    return [message("other_domain")] if _gold_kind(line) == "validation" else []


def _gold_kind(line: Line) -> str | None:
    """What the correction rests on; None where there is none."""
    return line.gold.kind if line.is_corrected and line.gold is not None else None


def _gold_rows(line: Line) -> Text:
    rows = ", ".join(f"{label} {n:,}" for label, n in line.choice.gold_rows.items())
    return message(f"gold_rows.{_gold_kind(line)}", total=sum(line.choice.gold_rows.values()), rows=rows)


def index_note(line: Line) -> Text:
    """How to read the index, for the line below its plot; the same words stand in the method."""
    weights = line.settings.weights
    if weights is None:
        return message("no_index")
    return message("index_note", name=index_name(line.settings), weights=weights_text(weights))


def lines_note(line: Line) -> Text:
    """What the bold lines are, and what the thin ones."""
    if line.thin_method is None:
        return message("lines_note.one", bold=method_name(line))
    return message("lines_note.two", bold=method_name(line), thin=message(f"method.{line.thin_method}"))


def _gaps(line: Line) -> Text:
    counts = list[Text]()
    for every in line.settings.every:
        periods, period = periods_of(line, every), message(f"period.{every}")
        gaps = sum(one.is_gap for one in periods)
        counts.append(message("gap_count", gaps=gaps, periods=len(periods), period=period))
    return message("gaps", comments=line.settings.min_comments, authors=line.settings.min_clusters, counts=counts)


def _incomplete_periods(line: Line) -> list[Text]:
    """Which first and last periods the comments do not reach across."""
    found = [
        message("incomplete_period", start=period.start, period=message(f"period.{every}"))
        for every in line.settings.every
        for period in periods_of(line, every)
        if not is_whole(line, period)
    ]
    return [message("incomplete", first=line.first, last=line.last, periods=found)] if found else []


def _sensitivity(line: Line) -> list[Text]:
    """How much the index depends on its weights."""
    found = sensitivity(line)
    if found is None:
        return []
    return [
        message(
            "sensitivity",
            period=message(f"period.{found.every}"),
            points=found.points,
            correlation=found.correlation,
            same_way=100 * found.same_way,
            draws=DRAWS,
        )
    ]


def removed_notes(line: Line) -> list[Text]:
    """What author caps and floods left out, and the shares over the whole time with it."""
    settings, removed = line.settings, line.removed
    unknown = settings.flood is not None and not removed.sees_floods
    notes = [message("floods_unknown")] if unknown else []
    if not removed.rows:
        return notes
    counts = [
        message("removed_count", reason=message(f"removed_reason.{reason}"), rows=rows)
        for reason, rows in removed.rows.items()
    ]
    found = message(
        "removed",
        counts=counts,
        author_cap=settings.author_cap,
        flood=settings.flood,
        before=_shares({label: line.counts[label] + removed.counts[label] for label in line.labels}),
        after=_shares({label: line.counts[label] for label in line.labels}),
    )
    return [*notes, found]


def _shares(counts: dict[str, int]) -> str:
    return ", ".join(f"{label} {100 * n / max(1, sum(counts.values())):.1f} %" for label, n in counts.items())


def interval_notes(line: Line) -> list[Text]:
    """What the intervals hold, and plainly what they do not."""
    settings = line.settings
    bands = message(
        "intervals.bands", resamples=settings.bootstrap, clusters=_clusters(line), least=settings.min_clusters
    )
    return [bands, message("intervals.with_errors") if line.is_corrected else message("intervals.without_errors")]


def _clusters(line: Line) -> Text:
    """By what comments are resampled, in the order in which it is looked for."""
    kinds = [message(f"cluster.{kind}") for kind, rows in line.clustered.items() if rows]
    return reduce(lambda first, second: message("clusters_joined", first=first, second=second), kinds)


def footnotes(line: Line, periods: Sequence[Period]) -> list[Text]:
    """The same in short, for below a printed picture of these periods."""
    return [_counts_footnote(line, periods), _bands_footnote(line), *other_domain_warning(line), index_note(line)]


def _bands_footnote(line: Line) -> Text:
    if not line.is_corrected:
        return message("footnote.counted", clusters=_clusters(line))
    return message(
        f"footnote.corrected.{_gold_kind(line)}",
        method=method_name(line),
        total=sum(line.choice.gold_rows.values()),
        clusters=_clusters(line),
    )


def _counts_footnote(line: Line, periods: Sequence[Period]) -> Text:
    settings = line.settings
    if line.undated:
        notes = [message("footnote.comments_and_undated", n=line.n, undated=line.undated, timezone=settings.timezone)]
    else:
        notes = [message("footnote.comments", n=line.n, timezone=settings.timezone)]
    gaps = sum(period.is_gap for period in periods)
    if gaps:
        period = message(f"period.{periods[0].every}")
        notes.append(message("footnote.gaps", gaps=gaps, period=period, least=settings.min_comments))
    partial = [period for period in periods if not is_whole(line, period)]
    if partial:
        starts = ", ".join(str(period.start) for period in partial)
        notes.append(message("footnote.incomplete", period=message(f"period.{partial[0].every}"), starts=starts))
    return sentences(notes)


def context_footnotes(line: Line, context: Context, every: Every) -> list[Text]:
    """Forecast and events, for below a printed picture of one length of period."""
    forecast, notes = context.forecast(every), list[Text]()
    if forecast is not None:
        notes.append(message("footnote.forecast", outcome=_outcome(forecast)))
    events = " · ".join(f"{i} {event.text}" for i, event in enumerate(within(line, context.events), start=1))
    return [*notes, message("footnote.events", events=events)] if events else notes


def forecast_notes(forecast: Forecast | NoForecast) -> list[Text]:
    """The model; its coverage and errors in the past; and what speaks against it. Or why there is no forecast."""
    period = message(f"period.{forecast.every}")
    if isinstance(forecast, NoForecast):
        return [no_forecast_note(forecast)]
    is_widened = forecast.widened != 1
    widened = message("forecast.widened", times=forecast.widened) if is_widened else Text("", "")
    season = message(f"forecast.season.{forecast.every}")
    model = message(
        "forecast.model",
        period=period,
        ahead=len(forecast.points),
        season=season,
        observed=forecast.observed,
        widened=widened,
    )
    return [model, _outcome(forecast), *_forecast_warnings(forecast.backtest)]


def no_forecast_note(without: NoForecast) -> Text:
    """Why there is none."""
    return message(
        f"forecast.none.{without.reason}",
        period=message(f"period.{without.every}"),
        observed=without.observed,
        horizon=without.horizon,
        needed=needed(without.horizon),
        training=LEAST_TRAINING,
        origins=LEAST_ORIGINS,
    )


def _outcome(forecast: Forecast) -> Text:
    tested = forecast.backtest
    seasonal = Text("", "")
    if tested.seasonal is not None:
        seasonal = message("forecast.seasonal_naive", error=tested.seasonal)
    return message(
        "forecast.outcome",
        period=message(f"period.{forecast.every}"),
        origins=tested.origins,
        pairs=tested.pairs,
        coverage=100 * tested.coverage,
        low=100 * tested.low,
        high=100 * tested.high,
        near=100 * tested.near,
        far=100 * tested.far,
        error=tested.error,
        naive=tested.naive,
        seasonal=seasonal,
    )


def _forecast_warnings(tested: Backtest) -> list[Text]:
    return [
        *([] if tested.holds else [message("forecast.too_narrow")]),
        *([] if tested.gains else [message("forecast.no_gain")]),
    ]
