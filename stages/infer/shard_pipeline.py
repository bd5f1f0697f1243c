"""From comment files to shards: windows of comments are read, deduplicated, classified, written and recorded.

Memory holds a few windows. A shard is recorded when its file is complete, so a killed inference redoes those in work.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stages.infer.deduplication import NOWHERE, DeduplicationIndex
from stages.infer.engine_selection import MEASURED_FROM
from stages.infer.executors import Executor, ExecutorChoice, Finish, StartExecutor
from stages.infer.prefetch import prefetch
from stages.infer.shard_schema import Floats, Keys, key_numbers, publish_shard, shard_table
from stages.runtime.predictor import Predictor
from stages.runtime.progress import Advance
from stages.runtime.run_context import SHARDS, Run
from storage.records import shard_records
from storage.records.author_salt import author_salt
from storage.records.shard_records import ShardRecord
from transfer.corpus.comment_stream import MASKED
from transfer.corpus.comment_windows import Window, read_windows
from transfer.device.memory_release import release_memory
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource
from transfer.text.near_duplicates import near_key

SKIPPED_REASONS = ("empty text", "broken row")  # the other counts of a window are of comments that are classified


@dataclass(frozen=True)
class _PendingShard:
    """A window of comments whose new texts are with the executor.

    keys: (U,), of its different texts, sorted. inverse: (N,) which of them each row has. where: (U,) shard that holds
    the text already, or NOWHERE. number: the shard's own in the index. near: (U,) near-duplicate keys.
    """

    window: Window
    keys: Keys
    inverse: NDArray[np.int64]
    where: NDArray[np.int64]
    number: int
    near: Sequence[int | None]
    finish: Finish


@dataclass
class ShardPipeline:
    """Makes the shards that are missing.

    files: with their sources, in order. versions: of each, what its shards depend on and its content's hash. faults:
    what could not be read. unused: counts in windows without a usable row, which have no shard. masked: comments with a
    masked author, in the shards written now.
    """

    run: Run
    predictor: Predictor
    versions: Sequence[tuple[str, str]]
    files: Sequence[tuple[CommentSource, Path]]
    faults: BadRows = field(default_factory=BadRows)
    unused: Counter[str] = field(default_factory=Counter)
    masked: int = 0

    def __post_init__(self) -> None:
        run, plan = self.run, self.run.plan
        self._salt = author_salt(run.engine, plan.name)
        self._prefix = f"{SHARDS}/{self.predictor.fingerprint}/"
        self._index = DeduplicationIndex(plan.labels)
        for record in shard_records.shards_below(run.engine, plan.name, self._prefix):
            if run.files.exists(record.path):
                self._index.add(run.files.fetch(record.path))
        self._written = {
            (version, record.file_sha, record.first_row): record
            for version in {version for version, _ in self.versions}
            for record in shard_records.shards_of(run.engine, plan.name, version)
            if run.files.exists(record.path)
        }

    def sample(self) -> list[str]:
        """Different texts that are still to be classified, from the first comments on: enough to measure engines."""
        texts: dict[str, None] = {}
        with closing(self._windows(BadRows())) as windows:
            for window in windows:
                if window.rows is not None:
                    texts.update(dict.fromkeys(window.rows.column("text").to_pylist()))
                if len(texts) >= MEASURED_FROM:
                    break
        return list(texts)

    def shards(
        self, choice: ExecutorChoice | None, start: StartExecutor, advance: Advance
    ) -> Iterator[tuple[ShardRecord, bool]]:
        """The record of each shard, in the comments' order, and whether it was written now.

        choice: None where no comment is left to classify. advance: called with numbers of comments.
        """
        if choice is None:
            yield from self._records(self._windows(self.faults), advance)
            return
        with closing(start(self.run, choice)) as executor:
            begun = (self._begin(window, executor) for window in self._windows(self.faults))
            with closing(prefetch(begun, lambda: executor.prefetch_depth)) as pending:
                yield from self._records(pending, advance)

    def _windows(self, faults: BadRows) -> Generator[Window]:
        """All comments, one shard's at a time; without their rows where the shard is written already."""
        plan = self.run.plan
        yield from read_windows(
            plan.comments,
            plan.base,
            plan.index.timezone,
            self._salt,
            plan.infer.shard_rows,
            lambda file, first: self._record(file, first) is None,
            faults,
            self.files,
        )

    def _record(self, file: int, first: int) -> ShardRecord | None:
        """Of the shard for a file's rows from `first` on, where it is written."""
        return self._written.get((*self.versions[file], first))

    def _begin(self, window: Window, executor: Executor) -> Window | _PendingShard:
        """Gives a window's new texts to the executor; the window itself where there is nothing to classify."""
        if window.rows is None or not window.rows.num_rows:
            return window
        row_keys = key_numbers(window.rows.column("key"))
        keys, first, inverse = np.unique(row_keys, return_index=True, return_inverse=True)
        where = self._index.where(keys)
        number = self._index.begin(keys)
        texts = window.rows.column("text").take(pa.array(first)).to_pylist()
        finish = executor.begin([text for text, at in zip(texts, where, strict=True) if at == NOWHERE])
        return _PendingShard(window, keys, inverse, where, number, [near_key(text) for text in texts], finish)

    def _records(
        self, pending: Iterator[Window | _PendingShard], advance: Advance
    ) -> Iterator[tuple[ShardRecord, bool]]:
        for item in pending:
            if isinstance(item, _PendingShard):
                yield self._finish(item, advance), True
            elif (record := self._record(item.file, item.first)) is not None:
                advance(record.rows)
                yield record, False
            else:
                self.unused.update(item.dropped)

    def _finish(self, shard: _PendingShard, advance: Advance) -> ShardRecord:
        """Writes, publishes and records one shard: the probabilities of its new texts, and those known before."""
        run, window = self.run, shard.window
        rows: pa.Table = window.rows
        probabilities = self._probabilities(shard, advance)
        version, sha = self.versions[window.file]
        name = f"{self._prefix}{version[:16]}-{sha[:16]}-{window.first:010d}.parquet"
        near = [shard.near[i] for i in shard.inverse.tolist()]
        table = shard_table(
            rows, shard.keys[shard.inverse], near, probabilities, run.plan.labels, self.predictor.fingerprint
        )
        publish_shard(run, table, name)
        record = ShardRecord(
            plan=run.plan.name,
            model=version,
            file_sha=sha,
            first_row=window.first,
            rows=rows.num_rows,
            path=name,
            classified=int((shard.where == NOWHERE).sum()),
            skipped={reason: window.dropped[reason] for reason in SKIPPED_REASONS if window.dropped[reason]},
            created_at=datetime.now(UTC),
        )
        shard_records.record_shard(run.engine, record)
        self._index.written(shard.number, run.files.fetch(name))
        self.masked += window.dropped[MASKED]
        release_memory()  # else the next shard's memory would be allocated in pieces between this one's
        pa.default_memory_pool().release_unused()
        return record

    def _probabilities(self, shard: _PendingShard, advance: Advance) -> Floats:
        """(N, K) float32 of the window's rows."""
        is_new = shard.where == NOWHERE
        rows, reads = len(shard.inverse), int(is_new.sum()) * len(self.predictor.members)
        out = np.zeros((len(shard.keys), len(self.run.plan.labels)), np.float32)
        if reads:
            out[is_new] = shard.finish(lambda texts: advance(texts * rows / reads))
        else:
            advance(rows)
        known = ~is_new
        out[known] = self._index.probabilities(shard.keys[known], shard.where[known])
        return out[shard.inverse]
