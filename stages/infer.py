"""All comments classified: streamed in bounded memory into Parquet shards, each whole and recorded before the next."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from stages.ensemble import final_predictor
from stages.models import Predictor
from stages.report import Advance
from stages.stage import do_stage, fingerprint
from stages.workspace import SHARDS, Run
from storage import shards as store
from storage.salt import author_salt
from storage.shards import ShardRecord
from transfer.near import near_key
from transfer.problem import Problem
from transfer.stream import comment_files, read_comments

STAGE = "infer"


@dataclass(frozen=True)
class _Window:
    """The comments of one shard: those of a file's rows [first, first + shard_rows) that can be used."""

    file: int
    first: int
    rows: pa.Table


def run_infer(run: Run) -> dict[str, Any]:
    """Classifies every comment with the final predictor; files that were classified before are left alone.

    The result has `rows`, `unique`, `skipped`, `seconds`, `rows_per_second`, `peak_rss_bytes`, `engine`, `shards`
    (names in files, in the comments' order) and `model` (the predictor's fingerprint).
    """
    if not run.plan.comments:
        raise Problem(
            f"{run.plan.file.name}, comments: none are named", "name their files, then infer can classify them"
        )
    predictor = final_predictor(run)
    files = _versions(run, predictor)
    parts = {
        "model": predictor.fingerprint,
        "labels": run.plan.labels,
        "timezone": run.plan.index.timezone,
        "shard_rows": run.plan.infer.shard_rows,
    }
    work = partial(_classify_all, run, predictor, files)
    extent = {"files": [list(file) for file in files]}
    return do_stage(run, STAGE, parts, extent, work, is_there=partial(_shards_there, run))


def _shards_there(run: Run, result: Mapping[str, Any]) -> bool:
    return all(run.files.exists(name) for name in result["shards"])


def _classify_all(run: Run, predictor: Predictor, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """files: version and content of each comment file, in their order."""
    began = time.monotonic()
    done = {
        (version, s.file_sha, s.first_row): s
        for version in {version for version, _ in files}
        for s in store.shards_of(run.engine, run.plan.name, version)
    }
    shards, fresh, dropped = [], 0, Counter[str]()
    with run.report.bar("classifying", _rows_in(run), "comments") as advance:
        for window in _windows(run, dropped):
            rows = window.rows.num_rows
            record = done.get((*files[window.file], window.first))
            if record is None or not run.files.exists(record.path):
                record = _classify(run, predictor, files[window.file], window, advance)
                fresh += rows
            else:
                advance(rows)
            shards.append(record)
    if not shards:
        raise Problem("comments: no comment with a text was found", f"left out: {dict(dropped)}")
    seconds = time.monotonic() - began
    return {
        "rows": sum(record.rows for record in shards),
        "unique": sum(record.classified for record in shards),
        "skipped": {reason: dropped[reason] for reason in ("empty text",) if dropped[reason]},
        "seconds": round(seconds, 2),
        "rows_per_second": round(fresh / seconds, 1),
        "peak_rss_bytes": _peak_memory(),
        "engine": predictor.engines[0].name,
        "shards": [record.path for record in shards],
        "model": predictor.fingerprint,
        "predictor": predictor.name,
    }


def _versions(run: Run, predictor: Predictor) -> list[tuple[str, str]]:
    """For each comment file, in order: what its shards depend on beside its content, and its content's hash.

    That is the model and how this file is read, not which other files there are. The same file, read alike twice,
    is told apart by a number, so that no shard takes another's place.
    """
    seen = Counter[tuple[str, str]]()
    versions = []
    for source, _, sha in comment_files(run.plan.comments, run.plan.base):
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


def _rows_in(run: Run) -> int | None:
    """Rows of all comment files where they say it themselves, as Parquet does; None where one does not."""
    paths = [path for _, path, _ in comment_files(run.plan.comments, run.plan.base)]
    if any(path is None or path.suffix.lower() != ".parquet" for path in paths):
        return None
    return sum(int(pq.read_metadata(path).num_rows) for path in paths)


def _peak_memory() -> int:
    """The process's largest resident size so far, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows(run: Run, dropped: Counter[str]) -> Iterator[_Window]:
    """The comments in the order of files and rows, a shard's worth at a time."""
    size = run.plan.infer.shard_rows
    held: list[pa.RecordBatch] = []
    at: tuple[int, int] | None = None
    plan = run.plan
    salt = author_salt(run.engine, plan.name)
    for batch in read_comments(plan.comments, plan.base, plan.index.timezone, salt, dropped=dropped):
        for place, part in _parted(batch, size):
            if at is not None and place != at:
                yield _Window(at[0], at[1] * size, pa.Table.from_batches(held))
                held = []
            at = place
            held.append(part)
    if at is not None:
        yield _Window(at[0], at[1] * size, pa.Table.from_batches(held))


def _parted(batch: pa.RecordBatch, size: int) -> Iterator[tuple[tuple[int, int], pa.RecordBatch]]:
    """A batch cut where a new file or shard begins: ((file, number of the shard in it), rows)."""
    file = batch.column("file").to_numpy()
    shard = batch.column("row").to_numpy() // size
    cuts = np.flatnonzero((np.diff(file) != 0) | (np.diff(shard) != 0)) + 1
    for start, stop in zip([0, *cuts], [*cuts, len(file)], strict=True):
        yield (int(file[start]), int(shard[start])), batch.slice(int(start), int(stop - start))


def _classify(run: Run, predictor: Predictor, file: tuple[str, str], window: _Window, advance: Advance) -> ShardRecord:
    """One shard: each different text classified once, written, published, recorded."""
    version, sha = file
    rows = window.rows.num_rows
    keys = window.rows.column("key").to_numpy(zero_copy_only=False)
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    texts = window.rows.column("text").take(pa.array(first)).to_pylist()
    share = rows / (len(texts) * len(predictor.members))  # of a row, for each text that a member has read
    probabilities = predictor.probabilities(texts, lambda read: advance(read * share))[back]
    name = f"{SHARDS}/{version}/{sha[:16]}-{window.first:010d}.parquet"
    local = run.scratch / f"shard-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    near = [near_key(text) for text in texts]
    shard = _shard(window.rows, [near[i] for i in back.tolist()], probabilities, run.plan.labels, predictor.fingerprint)
    pq.write_table(shard, local, compression="zstd")
    run.files.publish(local, name)
    local.unlink()
    record = ShardRecord(
        plan=run.plan.name,
        model=version,
        file_sha=sha,
        first_row=window.first,
        rows=rows,
        path=name,
        classified=len(first),
        skipped={},
        created_at=datetime.now(UTC),
    )
    store.record_shard(run.engine, record)
    return record


def _shard(
    rows: pa.Table, near: Sequence[int | None], probabilities: Any, labels: Sequence[str], model: str
) -> pa.Table:
    """id, time, author, source, near (near_key of the text), label, p_LABEL for each label; the model's fingerprint in
    the file's metadata."""
    predicted = np.asarray(labels, dtype=object)[probabilities.argmax(axis=1)]
    columns: Mapping[str, Any] = {
        **{name: rows.column(name) for name in ("id", "time", "author", "source")},
        "near": pa.array(near, pa.int64()),
        "label": pa.array(predicted, pa.string()),
        **{f"p_{label}": pa.array(probabilities[:, k], pa.float32()) for k, label in enumerate(labels)},
    }
    return pa.table(dict(columns)).replace_schema_metadata({"moodline.model": model})
