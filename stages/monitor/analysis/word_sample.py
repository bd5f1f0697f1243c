"""An even sample of the classified comments, some of each span of days that is asked for and some of all: the same in
whatever order rows and shards come. Two passes, memory bounded by the sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.shard_reader import NEAR, all_have, batches, dated, probability_columns
from stages.monitor.quantification.poisson_bootstrap import mixed
from stages.monitor.schema.calendar import Days, local_days

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]

OF_ALL, OF_PERIOD = 60_000, 10_000  # comments: words of a few dozen of them are more than chance
KEY = "key"  # shards of older versions do not have it


@dataclass(frozen=True)
class Span:
    """Days from `first` up to, and without, `end`."""

    first: np.datetime64
    end: np.datetime64


class _Smallest:
    """The n smallest hashes so far, of a span's days, or of all. limit: the largest of them, the sample's limit."""

    def __init__(self, n: int, span: Span | None = None) -> None:
        self.n, self.span, self._hashes = n, span, np.empty(0, np.uint64)

    def takes(self, hashes: Hashes, days: Days) -> Mask:
        """(N,) which of some comments would be among them."""
        inside = np.ones(len(hashes), bool) if self.span is None else _within(days, self.span)
        return inside if len(self._hashes) < self.n else np.asarray(inside & (hashes < self.limit))

    def add(self, hashes: Hashes) -> None:
        joined = np.concatenate([self._hashes, hashes])
        self._hashes = np.partition(joined, self.n - 1)[: self.n] if len(joined) > self.n else joined

    @property
    def limit(self) -> np.uint64:
        return self._hashes.max() if len(self._hashes) else np.uint64(0)


def sample_comments(
    shards: Sequence[Path],
    labels: Sequence[str],
    timezone: str,
    spans: Sequence[Span],
    left_out: Hashes,
    voice: Literal["voice", "comment"] = "voice",
) -> pa.Table:
    """Dated comments: up to OF_ALL of all of them, and up to OF_PERIOD of each span.

    left_out: hashes of comments that do not count (see Removed). Columns: id, key (int64, of the text), label (number),
    voice (uint64: the author, else the comment; with voice="comment" always the comment, for masked names are many
    people's), near (int64, nullable), sure (the label's probability), of_all (bool), and in_0, in_1, ... (bool) for the
    spans.
    """
    of_all, *limits = _limits(shards, timezone, spans, left_out)
    near = [NEAR] if all_have(shards, NEAR) else []
    found = [
        _sampled(batch, labels, timezone, spans, of_all, limits, left_out, voice)
        for batch in batches(shards, ["id", "author", KEY, "time", "label", *near, *probability_columns(labels)])
    ]
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in found])


def _limits(shards: Sequence[Path], timezone: str, spans: Sequence[Span], left_out: Hashes) -> list[np.uint64]:
    """Of the sample of all comments, then of each span's: what is left out takes nobody's place."""
    samples = [_Smallest(OF_ALL), *(_Smallest(OF_PERIOD, span) for span in spans)]
    for batch in batches(shards, [KEY, "time", *(["id"] if len(left_out) else [])]):
        rows, _ = dated(batch)
        hashes, days = _hashes(batch, timezone)
        taken = np.flatnonzero(np.logical_or.reduce([sample.takes(hashes, days) for sample in samples]))
        taken = taken[_counts(rows, taken, left_out)] if len(left_out) else taken
        for sample in samples:
            sample.add(hashes[taken][sample.takes(hashes[taken], days[taken])])
    return [sample.limit for sample in samples]


def _counts(rows: pa.RecordBatch, some: NDArray[np.int64], left_out: Hashes) -> Mask:
    """(S,) which of some rows are not left out."""
    return ~np.isin(cluster_hashes(rows.take(pa.array(some)), "comment")[0], left_out)


def _sampled(
    batch: pa.RecordBatch,
    labels: Sequence[str],
    timezone: str,
    spans: Sequence[Span],
    of_all: np.uint64,
    limits: Sequence[np.uint64],
    left_out: Hashes,
    voice: Literal["voice", "comment"],
) -> pa.RecordBatch:
    rows, _ = dated(batch)
    hashes, days = _hashes(batch, timezone)
    is_of_all = hashes <= of_all
    # a sample's limit belongs to its span alone; a comment sampled for all is in the sample of each span it is in, too
    within = [_within(days, span) & ((hashes <= limit) | is_of_all) for span, limit in zip(spans, limits, strict=True)]
    kept = np.flatnonzero(np.logical_or.reduce([is_of_all, *within]))
    kept = kept[_counts(rows, kept, left_out)]
    rows = rows.take(pa.array(kept))
    numbers = pc.index_in(rows.column("label").cast(pa.string()), value_set=pa.array(labels, pa.string()))
    sure = np.max([rows.column(name).to_numpy(zero_copy_only=False) for name in probability_columns(labels)], axis=0)
    near = rows.column("near") if "near" in rows.schema.names else pa.nulls(len(rows), pa.int64())
    columns = {
        "id": rows.column("id").cast(pa.string()),
        KEY: rows.column(KEY),
        "label": numbers.cast(pa.int64()),
        "voice": pa.array(cluster_hashes(rows, voice)[0]),
        "near": near,
        "sure": pa.array(sure, pa.float32()),
        "of_all": pa.array(is_of_all[kept]),
        **{f"in_{i}": pa.array(mask[kept]) for i, mask in enumerate(within)},
    }
    return pa.record_batch(columns)


def _hashes(batch: pa.RecordBatch, timezone: str) -> tuple[Hashes, Days]:
    """Of the dated rows: an even hash of text and time, and the local day."""
    rows, times = dated(batch)
    keys = rows.column(KEY).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
    return mixed(keys ^ mixed(times.view(np.uint64))), local_days(times, timezone)


def _within(days: Days, span: Span) -> Mask:
    return np.asarray((days >= span.first) & (days < span.end))
