"""From shards of classified comments to the line, in two streamed passes: days and sources first, then their counts."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.flood_filter import FloodFilter
from stages.monitor.aggregation.grouped_counts import GroupedCounts
from stages.monitor.aggregation.period_estimates import Estimator
from stages.monitor.aggregation.shard_reader import (
    NEAR,
    ROWS,
    all_have,
    batches,
    dated,
    probability_columns,
    rows_of_checked,
)
from stages.monitor.schema.calendar import Days, local_days
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line, Removed
from stages.monitor.schema.method_choice import GoldPredictions, choose_method
from transfer.errors import UserError

# names of sources that are counted at once; the rarer half goes when there are more, as in Misra and Gries (1982)
NAMES = 200_000


def daily_line(
    shards: Sequence[Path],
    labels: Sequence[str],
    settings: IndexSettings,
    seed: int,
    advance: Callable[[float], None] = lambda rows: None,
    gold: GoldPredictions | None = None,
) -> Line:
    """Shares, index and intervals of every period that the settings ask for, overall and of the largest sources.

    shards: parquet with id, author, source, label (strings; author and source nullable), time (timestamp in UTC,
    nullable), p_LABEL (float) for each label, and near (int64, nullable: the same for near-duplicates), without which
    floods are not found; the order of rows and shards does not matter. settings: checked by weight_problems.
    seed: of the bootstrap. advance: called with numbers of rows done. gold: what corrections are fitted on; None:
    raw counts alone. The same input gives the same line on every machine.
    Raises UserError where there are no rows, no dated rows, a column is missing, or a label is none of labels.
    """
    total = sum(rows_of_checked(shard, labels) for shard in shards)
    if total == 0:
        raise UserError("the daily line: no classified comments", f"shards read: {len(shards)}", "classify some first")
    flood_filter = FloodFilter(settings)
    days, sources, n = _first_pass(shards, settings, flood_filter)
    if len(days) == 0:
        raise UserError(
            f"the daily line: none of the {total:,} classified comments has a time",
            "name the column that holds it in the plan's comments, e.g. {path: ..., time: published_at}",
        )
    grouped = GroupedCounts(days, sources, tuple(labels), settings, seed)
    for batch in batches(shards, [*_named(shards), "label", *probability_columns(labels)]):
        rows, times = dated(batch)
        grouped.add(flood_filter.within(rows, times))
        advance(len(batch))
    counts, left_out, reasons = flood_filter.decided()
    for first in range(0, len(counts), ROWS):
        grouped.add(counts.slice(first, ROWS))
    return _line(grouped, total - n, gold, _removed(grouped, left_out, reasons, all_have(shards, NEAR)))


def _removed(grouped: GroupedCounts, left_out: pa.RecordBatch, reasons: Counter[str], sees_floods: bool) -> Removed:
    counts = np.bincount(grouped.label_numbers(left_out), minlength=len(grouped.labels)).tolist()
    by_label = dict(zip(grouped.labels, counts, strict=True))
    return Removed(+reasons, by_label, sees_floods, np.unique(cluster_hashes(left_out, "comment")[0]))


def _line(grouped: GroupedCounts, undated: int, gold: GoldPredictions | None, removed: Removed) -> Line:
    settings, labels, days = grouped.settings, grouped.labels, grouped.days
    choice = choose_method(settings, gold, labels)
    estimator = Estimator(grouped, choice, gold, grouped.seed)
    by_label = grouped.bins.by_label(grouped.counts[: len(days)]).sum(axis=0)
    return Line(
        labels=labels,
        settings=settings,
        periods=tuple(period for every in settings.every for period in estimator.periods(every)),
        first=cast(date, days[0].item()),
        last=cast(date, days[-1].item()),
        n=int(by_label.sum()),
        undated=undated,
        counts=dict(zip(labels, by_label.tolist(), strict=True)),
        clustered=dict(grouped.clustered),
        choice=choice,
        gold=gold,
        overall=estimator.overall(),
        sources=tuple(estimator.sources()),
        removed=removed,
    )


def _named(shards: Sequence[Path]) -> list[str]:
    return ["id", "author", "source", "time", *([NEAR] if all_have(shards, NEAR) else [])]


def _first_pass(
    shards: Sequence[Path], settings: IndexSettings, flood_filter: FloodFilter
) -> tuple[Days, list[str], int]:
    """All days with a comment, sorted, (D,) datetime64[D]; the sources with the most dated comments, most first; and
    the number of dated comments."""
    all_days: Days = np.array([], "datetime64[D]")
    names: Counter[str] = Counter()
    n = 0
    for batch in batches(shards, _named(shards)):
        rows, times = dated(batch)
        all_days, n = np.union1d(all_days, local_days(times, settings.timezone)), n + len(rows)
        flood_filter.count(rows, times)
        if settings.sources:
            counted = pc.value_counts(rows.column("source").cast(pa.string()))
            names.update(dict(zip(*(counted.field(i).to_pylist() for i in (0, 1)), strict=True)))
            if len(names) > NAMES:
                names = Counter(dict(names.most_common(NAMES // 2)))
    ranked = sorted((name for name in names if name), key=lambda name: (-names[name], name))
    return all_days, ranked[: settings.sources], n
