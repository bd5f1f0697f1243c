"""How often one author, or one text, may count: spam floods and very active authors are cut to the plan's limit.

Two passes in bounded memory: the first counts every key in a sketch, which never counts too few; the second lets all
rows through whose keys are surely within their limits, and sets the others aside, to be decided upon in the end.
"""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.grouped_counts import runs_of
from stages.monitor.aggregation.shard_reader import instants
from stages.monitor.quantification.poisson_bootstrap import mixed
from stages.monitor.schema.calendar import DAY, local_days
from stages.monitor.schema.index_settings import IndexSettings

Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

SLOTS = 2**22  # of a sketch: 16 MB; keys that share a slot only set a few more rows aside
REASONS = ("flood by author", "flood on source", "flood in hour", "author cap")


def limits_of(settings: IndexSettings) -> dict[str, int]:
    """How many rows of one key count, by reason; without those that the plan turns off."""
    found = dict.fromkeys(REASONS[:3], settings.flood) | {REASONS[3]: settings.author_cap}
    return {reason: most for reason, most in found.items() if most is not None}


class FloodFilter:
    """Counts keys in a first pass (`count`), then parts the rows of a second one (`within`, `decided`)."""

    def __init__(self, settings: IndexSettings) -> None:
        self.settings, self.most = settings, limits_of(settings)
        self._sketch = {reason: np.zeros(SLOTS, np.uint32) for reason in self.most}
        self._aside: list[pa.RecordBatch] = []

    def count(self, batch: pa.RecordBatch, times: Integers) -> None:
        """Takes in dated rows: batch with author, source, id and, where shards have it, near. times: as in instants."""
        for reason, (keys, has_key) in self._keys(batch, times).items():
            np.add.at(self._sketch[reason], _slots(keys[has_key]), 1)

    def within(self, batch: pa.RecordBatch, times: Integers) -> pa.RecordBatch:
        """The rows that are surely within all limits; the others are set aside."""
        over = np.zeros(len(batch), bool)
        for reason, (keys, has_key) in self._keys(batch, times).items():
            over |= has_key & (self._sketch[reason][_slots(keys)] > self.most[reason])
        self._aside.append(batch.filter(pa.array(over)))
        return batch.filter(pa.array(~over))

    def decided(self) -> tuple[pa.RecordBatch, pa.RecordBatch, Counter[str]]:
        """Of the rows set aside: those that count, those that do not, and how many these are, by reason.

        The earliest of a key count, in whatever order the rows came; a row that one limit leaves out counts for no
        other.
        """
        table = pa.Table.from_batches(self._aside)
        batch = pa.record_batch([column.combine_chunks() for column in table.columns], schema=table.schema)
        times = instants(batch)[1]
        keys_of = self._keys(batch, times)
        order = np.lexsort((cluster_hashes(batch, "comment")[0], times))
        stays, rows = np.ones(len(batch), bool), Counter[str]()
        for reason, (keys, has_key) in keys_of.items():
            ranked = order[(stays & has_key)[order]]
            late = ranked[_rank(keys[ranked]) >= self.most[reason]]
            stays[late] = False
            rows[reason] += len(late)
        return batch.filter(pa.array(stays)), batch.filter(pa.array(~stays)), rows

    def _keys(self, batch: pa.RecordBatch, times: Integers) -> dict[str, tuple[Hashes, Mask]]:
        """By reason: (N,) key of each row, (N,) whether it has one."""
        voices = cluster_hashes(batch, "voice")[0]
        has_author = _is_named(batch.column("author"))
        days = local_days(times, self.settings.timezone).astype(np.int64).view(np.uint64)
        found = {}
        if "near" in batch.schema.names:
            column = batch.column("near")
            near, has_text = column.fill_null(0).to_numpy().view(np.uint64), ~np.asarray(column.is_null())
            source, has_source = cluster_hashes(batch, "source")[0], _is_named(batch.column("source"))
            hours = (times // (DAY // 24)).view(np.uint64)
            found[REASONS[0]] = mixed(near ^ voices), has_text & has_author
            found[REASONS[1]] = mixed(near ^ source), has_text & has_source
            found[REASONS[2]] = mixed(near ^ mixed(hours)), has_text
        found[REASONS[3]] = mixed(voices ^ mixed(days)), has_author
        return {reason: keys for reason, keys in found.items() if reason in self.most}


def _slots(keys: Hashes) -> Integers:
    return (keys % np.uint64(SLOTS)).astype(np.int64)


def _rank(keys: Hashes) -> Integers:
    """(N,): how many rows before it have the same key."""
    order, starts, _ = runs_of(np.unique(keys, return_inverse=True)[1])
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return ranks


def _is_named(column: pa.Array) -> Mask:
    text = column.cast(pa.string())
    return np.asarray(pc.fill_null(pc.not_equal(text, ""), False).to_numpy(zero_copy_only=False), bool)
