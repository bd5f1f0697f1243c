"""The words of the line: a sample of the classified comments, found again in their files, and what words they hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from stages.monitor.analysis.distinctive_words import Words, told_words
from stages.monitor.analysis.outlier_periods import OutlierPeriod, standing
from stages.monitor.analysis.word_sample import Span, can_choose, choose_comments
from stages.monitor.schema.calendar import next_start
from stages.monitor.schema.line import Line
from stages.runtime.run_context import Run
from transfer.corpus.comment_lookup import texts_by_id


def line_words(run: Run, line: Line, shards: Sequence[Path]) -> Words | None:
    """Words of the whole time and of the periods that stand out; None where the plan wants none, where shards of an
    older version do not tell whose text is whose, or where the comments are gone from their files."""
    settings = run.plan.index.words
    if settings is None or not can_choose(shards):
        return None
    periods = [one for every in line.settings.every for one in standing(line, every, settings.periods)]
    spans = [_span(period) for period in periods]
    voice: Literal["voice", "comment"] = "comment" if line.settings.cluster == "source" else "voice"
    chosen = choose_comments(shards, line.labels, line.settings.timezone, spans, line.removed.comments, voice)
    texts = texts_by_id(run.plan.comments, run.plan.base, chosen.column("id").combine_chunks())
    words = told_words(chosen, texts, line.labels, periods, settings)
    if not words.read:
        run.report.message("monitor: no words are told: none of the classified comments was found in its file")
        return None
    return words


def _span(period: OutlierPeriod) -> Span:
    first = np.datetime64(period.start)
    return Span(first, next_start(first, period.every))
