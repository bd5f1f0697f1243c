"""From shards of classified comments to the line, in two streamed passes.

Memory is bounded by a batch and by days × labels × resamples (3,650 days, 4 labels and 200 resamples: 12 MB), never by
the number of comments.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.line.clusters import cluster_hashes, distinct_clusters, smallest_hashes
from stages.line.days import EARLIEST, LATEST, Days, all_starts, local_days, period_starts
from stages.line.index import index_of
from stages.line.intervals import estimates, resampling_weights, shares_of
from stages.line.series import Line, Period
from stages.line.settings import Every, IndexSettings
from transfer.problem import Problem

ROWS = 65_536  # of a batch: 13 MB of resampling weights
PENDING = 500_000  # pairs of day and cluster before they are folded into sketches

Progress = Callable[[int, int], None]


def daily_line(
    shards: Sequence[Path],
    labels: Sequence[str],
    settings: IndexSettings,
    seed: int,
    progress: Progress | None = None,
) -> Line:
    """Shares, index and intervals of every period that the settings ask for.

    shards: parquet with id, author, source, label (strings; author and source nullable), time (timestamp in UTC,
    nullable) and p_LABEL (float) for each label; the order of rows and shards does not matter. settings: checked by
    weight_problems. seed: of the bootstrap. progress: called with rows done and rows in all. The same input gives the
    same line on every machine.
    Shares are classify-and-count (means of 0 and 1), not corrected for the classifier's errors.
    Raises Problem where there are no rows, no dated rows, a column is missing, or a label is none of labels.
    """
    total = sum(_rows_of_checked(shard, labels) for shard in shards)
    if total == 0:
        raise Problem("the daily line: no classified comments", f"shards read: {len(shards)}", "classify some first")
    days = _days_seen(shards, settings.timezone)
    if len(days) == 0:
        raise Problem(
            f"the daily line: none of the {total:,} classified comments has a time",
            "name the column that holds it in the plan's comments, e.g. {path: ..., time: published_at}",
        )
    sums = DaySums(days, tuple(labels), settings, seed)
    done = 0
    for batch in _batches(shards, ["id", "author", "source", "label", "time", *_probabilities(labels)]):
        sums.add(batch)
        done += len(batch)
        if progress is not None:
            progress(done, total)
    n = int(sums.counts.sum())
    return Line(
        labels=tuple(labels),
        settings=settings,
        periods=tuple(period for every in settings.every for period in sums.periods(every)),
        first=cast(date, days[0].item()),
        last=cast(date, days[-1].item()),
        n=n,
        undated=total - n,
        counts=dict(zip(labels, sums.counts.sum(axis=0).tolist(), strict=True)),
        clustered=dict(sums.clustered),
    )


def _probabilities(labels: Sequence[str]) -> list[str]:
    return [f"p_{label}" for label in labels]


def _rows_of_checked(shard: Path, labels: Sequence[str]) -> int:
    """Rows of a shard that has all the columns. Raises Problem where one is missing."""
    with pq.ParquetFile(shard) as file:
        there = file.schema_arrow.names
        for name in ["id", "time", "author", "source", "label", *_probabilities(labels)]:
            if name not in there:
                raise Problem(f"{shard}: no column {name!r}", f"its columns: {', '.join(there)}")
        return int(file.metadata.num_rows)


def _batches(shards: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        with pq.ParquetFile(shard) as file:
            yield from file.iter_batches(ROWS, columns=list(columns))


def _instants(batch: pa.RecordBatch) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which rows have a time that can be, and those times in microseconds since 1970, UTC."""
    column = batch.column("time").cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    times = column.fill_null(EARLIEST - 1).to_numpy(zero_copy_only=False)
    is_dated = (times >= EARLIEST) & (times < LATEST)
    return is_dated, times[is_dated]


def _days_seen(shards: Sequence[Path], timezone: str) -> Days:
    """All days with a comment, sorted, (D,) datetime64[D]."""
    seen: Days = np.array([], "datetime64[D]")
    for batch in _batches(shards, ["time"]):
        seen = np.union1d(seen, local_days(_instants(batch)[1], timezone))
    return seen


class DaySums:
    """What one pass leaves of the comments: per day, counts, sums of probabilities, resamples and sketches."""

    def __init__(self, days: Days, labels: tuple[str, ...], settings: IndexSettings, seed: int) -> None:
        self.days, self.labels, self.settings, self.seed = days, labels, settings, seed
        self.counts = np.zeros((len(days), len(labels)), np.int64)  # (D, K)
        self.probabilities = np.zeros((len(days), len(labels)))  # (D, K)
        self.resampled = np.zeros((len(days), len(labels), settings.bootstrap), np.int32)  # (D, K, B)
        self.clustered: Counter[str] = Counter()
        self._pairs: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []
        self._pending = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds the dated rows of a batch."""
        is_dated, times = _instants(batch)
        dated = batch.filter(pa.array(is_dated))
        if len(dated) == 0:
            return
        day = np.searchsorted(self.days, local_days(times, self.settings.timezone))
        clusters, kinds = cluster_hashes(dated)
        self.clustered.update(kinds)
        self._add_labels(day * len(self.labels) + self._label_numbers(dated), clusters)
        for k, name in enumerate(_probabilities(self.labels)):
            values = dated.column(name).to_numpy(zero_copy_only=False)
            self.probabilities[:, k] += np.bincount(day, values, minlength=len(self.days))
        self._remember(day, clusters)

    def _label_numbers(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        given = batch.column("label").cast(pa.string())
        numbers = pc.index_in(given, value_set=pa.array(self.labels, pa.string()))
        if numbers.null_count:
            stray = pc.unique(given.filter(pc.is_null(numbers))).to_pylist()
            raise Problem(
                f"the daily line: classified comments carry the label {stray[0]!r}",
                f"the plan's labels: {', '.join(self.labels)}",
            )
        return np.asarray(numbers.to_numpy(), np.int64)

    def _add_labels(self, cells: NDArray[np.int64], clusters: NDArray[np.uint64]) -> None:
        """cells: (N,) day × K + label, of rows whose clusters are given."""
        order = np.argsort(cells, kind="stable")
        cells = cells[order]
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        weights = resampling_weights(clusters[order], self.seed, self.settings.bootstrap)  # (N, B)
        resampled = self.resampled.reshape(-1, self.settings.bootstrap)  # (D × K, B), a view
        resampled[cells[starts]] += np.add.reduceat(weights, starts, axis=0, dtype=np.int32)
        self.counts.reshape(-1)[cells[starts]] += np.diff(starts, append=len(cells))

    def _remember(self, day: NDArray[np.int64], clusters: NDArray[np.uint64]) -> None:
        self._pairs.append((day, clusters))
        self._pending += len(day)
        if self._pending > PENDING:
            self._pairs = [self._sketches()]
            self._pending = 0

    def _sketches(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        return smallest_hashes(
            np.concatenate([days for days, _ in self._pairs]),
            np.concatenate([hashes for _, hashes in self._pairs]),
        )

    def periods(self, every: Every) -> Iterator[Period]:
        """The periods of one length, from the first day's to the last day's, empty ones included."""
        starts = all_starts(self.days[0], self.days[-1], every)
        holder = np.searchsorted(starts, period_starts(self.days, every))  # (D,) which period each day is in
        bounds = np.searchsorted(holder, np.arange(len(starts) + 1))
        day, hashes = self._sketches()
        clusters = distinct_clusters(holder[day], hashes, len(starts))
        for i, start in enumerate(starts):
            yield self._period(every, cast(date, start.item()), slice(bounds[i], bounds[i + 1]), int(clusters[i]))

    def _period(self, every: Every, start: date, days: slice, clusters: int) -> Period:
        counts = self.counts[days].sum(axis=0).astype(np.float64)  # (K,)
        n = int(counts.sum())
        if n < self.settings.min_comments:
            nothing = dict.fromkeys(self.labels)
            return Period(every, start, n, clusters, nothing, nothing, None)
        resampled = shares_of(self.resampled[days].sum(axis=0, dtype=np.float64))  # (K, B)
        values = shares_of(counts)
        if self.settings.weights is not None:
            values = np.append(values, index_of(values, self.settings.weights, self.labels))
            index = index_of(resampled, self.settings.weights, self.labels)
            resampled = np.vstack([resampled, index])
        found = estimates(values, resampled, clusters >= self.settings.min_clusters)
        means = (self.probabilities[days].sum(axis=0) / n).tolist()
        return Period(
            every=every,
            start=start,
            n=n,
            clusters=clusters,
            shares=dict(zip(self.labels, found, strict=False)),
            probabilities=dict(zip(self.labels, means, strict=True)),
            index=found[-1] if self.settings.weights is not None else None,
        )
