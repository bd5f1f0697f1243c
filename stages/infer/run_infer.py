"""All comments classified: streamed in bounded memory into Parquet shards, each whole and recorded before the next."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.datasets.masked_authors import masked_notes
from stages.ensemble.run_ensemble import final_predictor
from stages.infer.deduplication import NOWHERE, DeduplicationIndex
from stages.infer.engine_selection import MEASURED_FROM, choose_team
from stages.infer.executors import Executor, ExecutorChoice, Finish, WorkerProcesses, opened
from stages.infer.prefetch import ahead
from stages.infer.shard_schema import Floats, Keys, key_numbers, publish_shard, shard_table
from stages.runtime.local_workers import all_gpus
from stages.runtime.predictor import Predictor
from stages.runtime.progress import Advance
from stages.runtime.run_context import SHARDS, Run
from stages.runtime.stage_execution import do_stage, fingerprint
from storage.records import shard_records as store
from storage.records.author_salt import author_salt
from storage.records.shard_records import ShardRecord
from transfer.corpus.comment_files import comment_files
from transfer.corpus.comment_stream import MASKED
from transfer.corpus.comment_windows import Window, read_windows
from transfer.device.memory_release import release_memory
from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource
from transfer.text.near_duplicates import near_key

STAGE = "infer"
LEFT_OUT = ("empty text", "broken row")  # the other counts of a window are of comments that are classified
MOST_TOLD = 20  # faults in the result; all of them are in the file
Start = Callable[[Run, ExecutorChoice], Executor]
Versions = Sequence[tuple[str, str]]


def run_infer(run: Run, start: Start | None = None) -> dict[str, Any]:
    """Classifies every comment with the final predictor; files that were classified before are left alone.

    start: gives what classifies; default this process, or several as the plan says. The result has `rows`, `unique`
    (texts that the model read), `skipped`, `faults` (the first of what could not be read; all of them in
    results/skipped.jsonl), `seconds`, `rows_per_second`, `peak_rss_bytes`, `engine`, `precision`, `shards` (names in
    files, in the comments' order) and `model` (the predictor's fingerprint).
    """
    if not run.plan.comments:
        raise UserError(
            f"{run.plan.file.name}, comments: none are named", "name their files, then infer can classify them"
        )
    predictor = final_predictor(run)
    listed = comment_files(run.plan.comments, run.plan.base)  # once: what comes later has its turn later
    files = _versions(run, predictor, listed)
    parts = {
        "model": predictor.fingerprint,
        "labels": run.plan.labels,
        "timezone": run.plan.index.timezone,
        "shard_rows": run.plan.infer.shard_rows,
    }
    read = [(source, path) for source, path, _ in listed]

    def work() -> dict[str, Any]:
        return _classify_all(_Inference(run, predictor, files, read), start or start_here)

    extent = {"files": [list(file) for file in files]}
    return do_stage(run, STAGE, parts, extent, work, is_there=partial(_shards_there, run))


def start_here(run: Run, team: ExecutorChoice) -> Executor:
    """This process, or as many as the plan says; by default one for each GPU where there are several."""
    gpus: list[str | None] = [*all_gpus()]
    wanted = run.plan.infer.processes or max(len(gpus), 1)
    if wanted == 1:
        return opened(team)
    return WorkerProcesses(team, [gpus[i % len(gpus)] if gpus else None for i in range(wanted)])


def _shards_there(run: Run, result: Mapping[str, Any]) -> bool:
    return all(run.files.exists(name) for name in result["shards"])


@dataclass(frozen=True)
class _Work:
    """A window of comments on its way to a shard. keys: of its different texts, sorted, (U,). back: (N,) which of them
    each row has. where: (U,) shard that has it already. number: the shard's own."""

    window: Window
    keys: Keys
    back: NDArray[np.int64]
    where: NDArray[np.int64]
    number: int
    near: Sequence[int | None]
    finish: Finish


@dataclass
class _Inference:
    """What all shards of one inference share. files: with their sources, in order. versions: of each."""

    run: Run
    predictor: Predictor
    versions: Versions
    files: Sequence[tuple[CommentSource, Path]]
    faults: BadRows = field(default_factory=BadRows)
    left_out: Counter[str] = field(default_factory=Counter)  # of windows without a usable row, which have no shard
    masked: int = 0  # of the comments that are classified now

    def __post_init__(self) -> None:
        plan = self.run.plan
        self.salt = author_salt(self.run.engine, plan.name)
        self.prefix = f"{SHARDS}/{self.predictor.fingerprint}/"
        self.seen = DeduplicationIndex(plan.labels)
        for record in store.shards_below(self.run.engine, plan.name, self.prefix):
            if self.run.files.exists(record.path):
                self.seen.add(self.run.files.fetch(record.path))
        self.done = {
            (version, s.file_sha, s.first_row): s
            for version in {version for version, _ in self.versions}
            for s in store.shards_of(self.run.engine, plan.name, version)
            if self.run.files.exists(s.path)
        }

    def record(self, file: int, first: int) -> ShardRecord | None:
        """Of the shard for a file's rows from `first` on, where it is there."""
        return self.done.get((*self.versions[file], first))

    def windows(self, faults: BadRows) -> Generator[Window]:
        """All comments, a shard's worth at a time, those of shards that are there without their rows."""
        plan = self.run.plan
        yield from read_windows(
            plan.comments,
            plan.base,
            plan.index.timezone,
            self.salt,
            plan.infer.shard_rows,
            lambda file, first: self.record(file, first) is None,
            faults,
            self.files,
        )

    def sample(self) -> list[str]:
        """Different texts that are still to be classified, from the first comments on: enough to measure with."""
        found: dict[str, None] = {}
        with closing(self.windows(BadRows())) as windows:
            for window in windows:
                if window.rows is not None:
                    found.update(dict.fromkeys(window.rows.column("text").to_pylist()))
                if len(found) >= MEASURED_FROM:
                    break
        return list(found)


def _classify_all(inference: _Inference, start: Start) -> dict[str, Any]:
    began = time.monotonic()
    run, predictor = inference.run, inference.predictor
    sample = inference.sample()
    team = choose_team(run, predictor, sample) if sample else None
    del sample
    shards, fresh, skipped = [], 0, Counter[str]()
    with run.report.bar("classifying", _rows_in(inference.files), "comments") as advance:
        for record, is_new in _shards(inference, team, start, advance):
            fresh += record.rows * is_new
            skipped.update(record.skipped)
            shards.append(record)
    _tell_faults(inference)
    for note in masked_notes(run.plan, inference.masked, fresh):
        run.report.message(f"infer: {note}")
    skipped.update(inference.left_out)
    skipped["broken file"] = inference.faults.counts["broken file"]
    if not shards:
        raise UserError("comments: no comment with a text was found", f"left out: {dict(+skipped)}")
    seconds = time.monotonic() - began
    return {
        "rows": sum(record.rows for record in shards),
        "unique": sum(record.classified for record in shards),
        "skipped": dict(+skipped),
        "faults": [asdict(fault) for fault in inference.faults.listed[:MOST_TOLD]],
        "seconds": round(seconds, 2),
        "rows_per_second": round(fresh / seconds, 1),
        "peak_rss_bytes": _peak_memory(),
        "engine": team.ways[0].engine if team else "none",
        "precision": team.ways[0].precision if team else "none",
        "shards": [record.path for record in shards],
        "model": predictor.fingerprint,
        "predictor": predictor.name,
    }


def _shards(
    inference: _Inference, team: ExecutorChoice | None, start: Start, advance: Advance
) -> Iterator[tuple[ShardRecord, bool]]:
    """A record for each shard, in the comments' order, and whether it was made now."""
    if team is None:
        yield from _made(inference, inference.windows(inference.faults), advance)
        return
    with closing(start(inference.run, team)) as classifier:
        windows = (_begun(inference, window, classifier) for window in inference.windows(inference.faults))
        with closing(ahead(windows, lambda: classifier.ahead)) as begun:
            yield from _made(inference, begun, advance)


def _begun(inference: _Inference, window: Window, classifier: Executor) -> Window | _Work:
    """A window whose new texts are in the classifier's hands; the window itself where there is nothing to do."""
    if window.rows is None or not window.rows.num_rows:
        return window
    every = key_numbers(window.rows.column("key"))
    keys, first, back = np.unique(every, return_index=True, return_inverse=True)
    where = inference.seen.where(keys)
    number = inference.seen.begin(keys)
    texts = window.rows.column("text").take(pa.array(first)).to_pylist()
    finish = classifier.begin([text for text, at in zip(texts, where, strict=True) if at == NOWHERE])
    return _Work(window, keys, back, where, number, [near_key(text) for text in texts], finish)


def _made(
    inference: _Inference, begun: Iterator[Window | _Work], advance: Advance
) -> Iterator[tuple[ShardRecord, bool]]:
    for work in begun:
        if isinstance(work, _Work):
            yield _finish(inference, work, advance), True
        elif (record := inference.record(work.file, work.first)) is not None:
            advance(record.rows)
            yield record, False
        else:
            inference.left_out.update(work.dropped)


def _finish(inference: _Inference, work: _Work, advance: Advance) -> ShardRecord:
    """One shard: its new texts' probabilities and those known before, written, published, recorded."""
    run, window = inference.run, work.window
    rows: pa.Table = window.rows
    is_new = work.where == NOWHERE
    probabilities = _probabilities(inference, work, is_new, advance)
    version, sha = inference.versions[window.file]
    name = f"{inference.prefix}{version[:16]}-{sha[:16]}-{window.first:010d}.parquet"
    near = [work.near[i] for i in work.back.tolist()]
    shard = shard_table(
        rows, work.keys[work.back], near, probabilities, run.plan.labels, inference.predictor.fingerprint
    )
    publish_shard(run, shard, name)
    record = ShardRecord(
        plan=run.plan.name,
        model=version,
        file_sha=sha,
        first_row=window.first,
        rows=rows.num_rows,
        path=name,
        classified=int(is_new.sum()),
        skipped={reason: window.dropped[reason] for reason in LEFT_OUT if window.dropped[reason]},
        created_at=datetime.now(UTC),
    )
    store.record_shard(run.engine, record)
    inference.seen.written(work.number, run.files.fetch(name))
    inference.masked += window.dropped[MASKED]
    release_memory()  # what the next shard would otherwise be laid beside, in pieces
    pa.default_memory_pool().release_unused()
    return record


def _probabilities(inference: _Inference, work: _Work, is_new: NDArray[np.bool_], advance: Advance) -> Floats:
    """(N, K) float32 of the window's rows."""
    rows, read = len(work.back), int(is_new.sum()) * len(inference.predictor.members)
    out = np.zeros((len(work.keys), len(inference.run.plan.labels)), np.float32)
    if read:
        out[is_new] = work.finish(lambda texts: advance(texts * rows / read))
    else:
        advance(rows)
    known = ~is_new
    out[known] = inference.seen.probabilities(work.keys[known], work.where[known])
    return out[work.back]


def _tell_faults(inference: _Inference) -> None:
    """Lists what was passed over in results/skipped.jsonl: file, line and reason, never a text."""
    file = inference.run.results / "skipped.jsonl"
    if not inference.faults.listed:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(asdict(fault), ensure_ascii=False) for fault in inference.faults.listed]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    counts = inference.faults.counts
    told = ", ".join(f"{counts[reason]:,} {reason}{'s' * (counts[reason] != 1)}" for reason in counts)
    inference.run.report.message(f"infer: passed over {told}; listed in {file}")


def _versions(
    run: Run, predictor: Predictor, listed: Sequence[tuple[CommentSource, Path, str]]
) -> list[tuple[str, str]]:
    """For each comment file, in order: what its shards depend on beside its content, and its content's hash.

    That is the model and how this file is read, not which other files there are. The same file, read alike twice,
    is told apart by a number, so that no shard takes another's place.
    """
    seen = Counter[tuple[str, str]]()
    versions = []
    for source, _, sha in listed:
        told = {
            "model": predictor.fingerprint,
            "labels": run.plan.labels,
            "columns": source.model_dump(mode="json", exclude={"path"}),
            "timezone": run.plan.index.timezone,
            "shard_rows": run.plan.infer.shard_rows,
        }
        plain = fingerprint(told)
        versions.append((fingerprint({**told, "repeat": seen[plain, sha]}), sha))
        seen[plain, sha] += 1
    return versions


def _rows_in(files: Sequence[tuple[CommentSource, Path]]) -> int | None:
    """Rows of all comment files where they say it themselves, as Parquet does; None where one does not."""
    paths = [path for _, path in files]
    if any(path.suffix.lower() != ".parquet" for path in paths):
        return None
    try:
        return sum(int(pq.read_metadata(path).num_rows) for path in paths)
    except (pa.ArrowInvalid, OSError):
        return None


def _peak_memory() -> int:
    """The process's largest resident size so far, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
