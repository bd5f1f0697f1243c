"""All that two runs of the small project are compared by, whatever stages are done, and what must not be left."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stages.plan.schema import read_plan
from stages.results.infer_result import InferResult
from stages.runtime.run_context import Run, open_run
from stages.runtime.stage_execution import find_result
from storage.records import model_registry, stage_records, trial_slots
from tests.helpers.small_project import Project, labels_of_all, trials_of_all

# Of a stage's result: what is measured, what the last attempt alone asked, and readings, which repetition adds to.
NOT_COMPARED = {"seconds", "rows_per_second", "peak_rss_bytes", "bytes", "path", "asked", "test_readings"}
NOT_COMPARED |= {"engine", "precision"}  # "none" where the last attempt found all shards there


def project_state(folder: Path) -> dict[str, Any]:
    """To the last bit: trials, weights, labels, shards, results and files; times and paths excepted."""
    project = Project(folder)
    run = open_run(read_plan(project.plan))
    trials = trials_of_all(run)
    records = stage_records.read_all(run.engine, run.plan.name)
    readings = stage_records.test_readings(run.engine, run.plan.name)
    return {
        "trials": trials,
        "kept": {model.name: model.value for model in model_registry.models(run.engine, run.plan.name)},
        "weights": {path: sha for name in run.files.names() for path, sha in _weights(run, name).items()},
        "labels": labels_of_all(run),
        "shards": _shards(run),
        "stages": {record.stage: (record.state, record.fingerprint, _compared(record.result)) for record in records},
        "test readings": sorted({(reading.read_by, reading.fingerprint) for reading in readings}),
        "slots": [(s.study, s.slot, s.trial, s.state) for name in trials for s in trial_slots.slots(run.engine, name)],
        "files": run.files.names(),
        "line": {path.name: _sha(path) for path in sorted(run.results.glob("*.csv"))},
        "scratch": sorted(path.name for path in run.scratch.glob("*/*")),
        "unfinished": len(list((run.root / "files" / ".writing").glob("*"))),
    }


def _weights(run: Run, name: str) -> dict[str, str]:
    folder = run.files.fetch(name)
    return {f"{name}/{path.name}": _sha(path) for path in sorted(folder.rglob("*.safetensors"))}


def _shards(run: Run) -> list[dict[str, Any]]:
    result = find_result(run, InferResult)
    names = () if result is None else result.shards
    return [pq.read_table(run.files.fetch(name)).to_pydict() for name in names]


def _compared(result: Any) -> Any:
    if isinstance(result, dict):
        return {key: _compared(value) for key, value in result.items() if key not in NOT_COMPARED}
    return [_compared(value) for value in result] if isinstance(result, list) else result


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
