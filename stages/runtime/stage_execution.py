"""Doing a stage once: skipped when done, refused when its plan or data changed, recorded however it ends."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from stages.results.stage_result import StageResult
from stages.runtime.run_context import Run
from storage.records import stage_records
from storage.records.stage_records import StageRecord
from transfer.errors import UserError

STAGES = ("adapt", "search", "label", "further", "ensemble", "distil", "infer", "monitor")
# Their trials of different inputs could not be kept apart, so these are refused. The others keep what they made by
# fingerprint, and are done again.
GUARDED = ("search", "further")
SHOWN = 160
Result = TypeVar("Result", bound=StageResult)


def fingerprint(parts: Mapping[str, Any]) -> str:
    """SHA-256 of named parts, as 32 hexadecimal digits; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def run_stage(
    run: Run,
    result_type: type[Result],
    parts: Mapping[str, Any],
    extent: Mapping[str, Any],
    work: Callable[[], Result],
    is_there: Callable[[Result], bool] = lambda result: True,
) -> Result:
    """The result of `result_type.stage`: as recorded where it is done and nothing changed, else by doing the work.

    parts: what the result depends on. extent: what only adds to it (numbers of trials, files); when that alone
    differs, or a time limit `stopped` the stage, the work continues. is_there: whether the files that a result names
    are still there.
    Raises UserError where a guarded stage's parts are not those that it began with.
    """
    stage, current = result_type.stage, fingerprint(parts)
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is not None and record.fingerprint != current:
        if stage in GUARDED:
            _refuse(run, stage, record, parts)
        run.report.message(f"{stage}: done again, for this changed: {'; '.join(_changes(record.parts, parts))}")
    elif record is not None and _is_done(record, extent):
        before = result_type.model_validate(record.result)
        if is_there(before):
            run.report.message(f"{stage}: done before, nothing changed")
            return before
    stage_records.begin(run.engine, run.plan.name, stage, current, parts)
    began = time.monotonic()
    try:
        stored = {**work().as_json(), "extent": dict(extent), "fingerprint": current}
    except KeyboardInterrupt:
        stage_records.interrupt(run.engine, run.plan.name, stage, time.monotonic() - began, "interrupted")
        raise
    except BaseException as error:
        stage_records.fail(run.engine, run.plan.name, stage, time.monotonic() - began, str(error))
        raise
    stage_records.finish(run.engine, run.plan.name, stage, time.monotonic() - began, stored)
    result = result_type.model_validate(stored)
    if result.stopped:
        run.report.message(f"{stage}: {result.stopped.message}")
    return result


def read_result(run: Run, result_type: type[Result]) -> Result:
    """A stage's result as recorded, so far if a time limit stopped it. Raises UserError where it is not done."""
    return result_type.model_validate(result_of(run, result_type.stage))


def find_result(run: Run, result_type: type[Result]) -> Result | None:
    """A stage's result as recorded; None where it has none yet."""
    record = stage_records.read(run.engine, run.plan.name, result_type.stage)
    return None if record is None or record.result is None else result_type.model_validate(record.result)


def require_same(run: Run, stage: str, parts: Mapping[str, Any]) -> None:
    """Raises UserError where a stage was done with other inputs than the plan and its data give now.

    For stages that build on it: evaluated on other splits, a model would be given texts that it was trained on.
    """
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is not None and record.fingerprint != fingerprint(parts):
        _refuse(run, stage, record, parts)


def _is_done(record: StageRecord, extent: Mapping[str, Any]) -> bool:
    return state_of(record) == "done" and record.result is not None and record.result["extent"] == dict(extent)


def state_of(record: StageRecord) -> str:
    """A stage's state: as recorded, or "stopped" where a time limit ended it early."""
    return "stopped" if record.result and record.result.get("stopped") else record.state


def result_of(run: Run, stage: str) -> dict[str, Any]:
    """A stage's stored result, so far if a time limit stopped it. Raises UserError where it is not done."""
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is None or record.state != "done" or record.result is None:
        command = {"adapt": "run", "distil": "ensemble"}.get(stage, stage)
        raise UserError(
            f"stage {stage} of {run.plan.name} is not done", f"do it with: moodline {command} {run.plan.file.name}"
        )
    return record.result


def _refuse(run: Run, stage: str, record: StageRecord, parts: Mapping[str, Any]) -> None:
    raise UserError(
        f"stage {stage} of {run.plan.name} was begun with other inputs, and is not mixed with these",
        *_changes(record.parts, parts),
        "put it back as it was to go on,",
        "give the plan another name: to keep both,",
        f"or begin this stage and those after it again, losing its trials: --anew {stage}",
    )


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: was {_short(before.get(name))}, is {_short(now.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
