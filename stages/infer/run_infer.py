"""Stage infer: all comments classified, streamed in bounded memory into Parquet shards."""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.comment_samples import masked_notes
from stages.infer.engine_selection import choose_engines
from stages.infer.executors import StartExecutor, local_executor
from stages.infer.shard_pipeline import ShardPipeline
from stages.results.infer_result import InferResult, UnreadableInput
from stages.runtime.predictor import Predictor, final_predictor
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import fingerprint, run_stage
from storage.records.shard_records import ShardRecord
from transfer.corpus.comment_files import comment_files
from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource

FAULTS_IN_RESULT = 20  # all of them are in results/skipped.jsonl


def run_infer(run: Run, start: StartExecutor = local_executor) -> InferResult:
    """Classifies every comment with the final predictor; shards that are written already are kept.

    start: opens what classifies. Raises UserError where the plan names no comments or none has a text, and UserErrors
    where no file of a source can be read.
    """
    if not run.plan.comments:
        raise UserError(
            f"{run.plan.file.name}, comments: none are named", "name their files, then infer can classify them"
        )
    predictor = final_predictor(run)
    files = comment_files(run.plan.comments, run.plan.base)  # listed once: a file that comes later waits for the next
    versions = _versions(run, predictor, files)
    parts = {
        "model": predictor.fingerprint,
        "labels": run.plan.labels,
        "timezone": run.plan.index.timezone,
        "shard_rows": run.plan.infer.shard_rows,
    }

    def work() -> InferResult:
        pipeline = ShardPipeline(run, predictor, versions, [(source, path) for source, path, _ in files])
        return _classify(pipeline, start)

    extent = {"files": [list(version) for version in versions]}
    return run_stage(
        run, InferResult, parts, extent, work, lambda result: all(run.files.exists(name) for name in result.shards)
    )


def _classify(pipeline: ShardPipeline, start: StartExecutor) -> InferResult:
    started_at = time.monotonic()
    run, predictor = pipeline.run, pipeline.predictor
    sample = pipeline.sample()
    choice = choose_engines(run, predictor, sample) if sample else None
    del sample
    with run.report.bar("classifying", _rows_in(pipeline.files), "comments") as advance:
        shards = list(pipeline.shards(choice, start, advance))
    records = [record for record, _ in shards]
    written_now = sum(record.rows for record, is_new in shards if is_new)
    _list_faults(run, pipeline.faults)
    for note in masked_notes(run.plan, pipeline.masked, written_now):
        run.report.message(f"infer: {note}")
    skipped = _skipped(pipeline, records)
    if not records:
        raise UserError("comments: no comment with a text was found", f"left out: {skipped}")
    seconds = time.monotonic() - started_at
    return InferResult(
        rows=sum(record.rows for record in records),
        unique=sum(record.classified for record in records),
        skipped=skipped,
        faults=tuple(UnreadableInput(**asdict(fault)) for fault in pipeline.faults.listed[:FAULTS_IN_RESULT]),
        seconds=round(seconds, 2),
        rows_per_second=round(written_now / seconds, 1),
        peak_rss_bytes=_peak_memory(),
        engine=choice.ways[0].engine if choice else "none",
        precision=choice.ways[0].precision if choice else "none",
        shards=tuple(record.path for record in records),
        model=predictor.fingerprint,
        predictor=predictor.name,
    )


def _skipped(pipeline: ShardPipeline, records: Sequence[ShardRecord]) -> dict[str, int]:
    """Numbers of comments and files that are in no shard, by reason."""
    counts = Counter[str]()
    for record in records:
        counts.update(record.skipped)
    counts.update(pipeline.unused)
    counts["broken file"] = pipeline.faults.counts["broken file"]
    return dict(+counts)


def _list_faults(run: Run, faults: BadRows) -> None:
    """Writes what could not be read to results/skipped.jsonl: file, line and reason, never a text."""
    file = run.results / "skipped.jsonl"
    if not faults.listed:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(asdict(fault), ensure_ascii=False) for fault in faults.listed]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    counts = ", ".join(f"{n:,} {reason}{'s' * (n != 1)}" for reason, n in faults.counts.items())
    run.report.message(f"infer: passed over {counts}; listed in {file}")


def _versions(
    run: Run, predictor: Predictor, files: Sequence[tuple[CommentSource, Path, str]]
) -> list[tuple[str, str]]:
    """For each comment file, in order: a fingerprint of all that its shards depend on but its content, and the
    content's hash.

    The fingerprint covers the model and how this file is read, not which other files there are. Where the same file is
    read in the same way twice, a number distinguishes them, so that no shard takes another's place.
    """
    repeats = Counter[tuple[str, str]]()
    versions = []
    for source, _, sha in files:
        inputs = {
            "model": predictor.fingerprint,
            "labels": run.plan.labels,
            "columns": source.model_dump(mode="json", exclude={"path"}),
            "timezone": run.plan.index.timezone,
            "shard_rows": run.plan.infer.shard_rows,
        }
        plain = fingerprint(inputs)
        versions.append((fingerprint({**inputs, "repeat": repeats[plain, sha]}), sha))
        repeats[plain, sha] += 1
    return versions


def _rows_in(files: Sequence[tuple[CommentSource, Path]]) -> int | None:
    """Rows of all comment files, where all are Parquet, whose metadata has the number; else None."""
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
