"""What is shown with the line: the plan's other series and events, a forecast, words, and provenance."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from stages.monitor.aggregation.provenance import Origins, Shard, origins_of
from stages.monitor.aggregation.shard_reader import all_have
from stages.monitor.analysis.cross_correlation import OtherSeriesLine, correlate, read_other
from stages.monitor.analysis.distinctive_words import Words, distinctive_words
from stages.monitor.analysis.events import Event, read_events
from stages.monitor.analysis.forecast import forecasts
from stages.monitor.analysis.outlier_periods import outlier_periods
from stages.monitor.analysis.word_sample import KEY, Span, sample_comments
from stages.monitor.report.page_context import Context
from stages.monitor.schema.calendar import next_start
from stages.monitor.schema.line import Line
from stages.plan.schema import Plan
from stages.runtime.run_context import SHARDS, Run
from storage.records import shard_records as store
from transfer.corpus.comment_lookup import texts_by_id
from transfer.errors import UserError, UserErrors


def check_covariates(plan: Plan) -> None:
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


def covariate_fingerprints(plan: Plan) -> list[str]:
    """SHA-256 of the content of each file of series and events, in hex; "missing" where there is none."""
    named = [*(series.path for series in plan.index.series), *(events.path for events in plan.index.events)]
    paths = [plan.base / path for path in named]
    return [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing" for path in paths]


def context_of(run: Run, line: Line, names: Sequence[str], shards: Sequence[Path]) -> Context:
    """names: of the shards in files; shards: where they lie here."""
    return Context(
        events=_events(run.plan),
        others=_others(run, line),
        forecasts=forecasts(line, run.plan.seed),
        words=_words(run, line, shards),
        origins=_origins(run, line, names, shards),
    )


def _words(run: Run, line: Line, shards: Sequence[Path]) -> Words | None:
    """Words of the whole time and of outlier periods, from a sample of the comments that is read again.

    None where the plan wants none, where shards of an older version have no keys, or where the comments are gone from
    their files.
    """
    settings = run.plan.index.words
    if settings is None or not all_have(shards, KEY):
        return None
    periods = [one for every in line.settings.every for one in outlier_periods(line, every, settings.periods)]
    spans = [Span(first := np.datetime64(period.start), next_start(first, period.every)) for period in periods]
    voice: Literal["voice", "comment"] = "comment" if line.settings.cluster == "source" else "voice"
    sample = sample_comments(shards, line.labels, line.settings.timezone, spans, line.removed.comments, voice)
    texts = texts_by_id(run.plan.comments, run.plan.base, sample.column("id").combine_chunks())
    words = distinctive_words(sample, texts, line.labels, periods, settings)
    if not words.read:
        run.report.message("monitor: no words are shown: none of the classified comments was found in its file")
        return None
    return words


def _events(plan: Plan) -> list[Event]:
    found = [read_events(source, plan.base, f"index.events[{i}]") for i, source in enumerate(plan.index.events)]
    return [event for events in found for event in events]


def _others(run: Run, line: Line) -> list[OtherSeriesLine]:
    """The index with the plan's other series; none where there is no index."""
    if run.plan.index.weights is None:
        return []
    return [
        correlate(line, settings, read_other(settings, run.plan.base, f"index.series[{i}]"), run.plan.seed)
        for i, settings in enumerate(run.plan.index.series)
    ]


def _origins(run: Run, line: Line, names: Sequence[str], shards: Sequence[Path]) -> Origins | None:
    found = {
        record.path: Shard(record.path, record.file_sha, record.first_row, record.rows, record.path.split("/")[1])
        for record in store.shards_below(run.engine, run.plan.name, f"{SHARDS}/")
    }
    return origins_of(line, [found[name] for name in names], shards) if set(names) <= set(found) else None
