"""What a plan asks for and what has come of it so far: light to import, for `status` looks at it every few seconds."""

from typing import Any

from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import state_of
from storage.records import stage_records


def stages_of(plan: Plan) -> list[str]:
    """The stages that a plan asks for: without comments nothing is inferred, without their times no line is drawn."""
    stages = _without_adapting(plan)
    if plan.adapt is not None and plan.comments and plan.adapt.before in stages:
        stages.insert(stages.index(plan.adapt.before), "adapt")
    return stages


def _without_adapting(plan: Plan) -> list[str]:
    distil = ["distil"] if plan.distil else []
    if not plan.comments:
        labels = plan.pseudo_label is not None and plan.pseudo_label.sources is not None
        return ["search", *(["label", "further"] if labels else []), "ensemble", *distil]
    further = ["label", "further"] if plan.pseudo_label else []
    dated = any(source.time for source in plan.comments)
    return ["search", *further, "ensemble", *distil, "infer", *(["monitor"] if dated else [])]


def overview(run: Run) -> dict[str, Any]:
    """What a run has come to so far."""
    records = {record.stage: record for record in stage_records.read_all(run.engine, run.plan.name)}
    return {
        "plan": str(run.plan.file),
        "workspace": str(run.root),
        "stages": [
            {"stage": stage, "state": state_of(records[stage]), "seconds": round(records[stage].seconds, 2)}
            if stage in records
            else {"stage": stage, "state": "waiting", "seconds": 0.0}
            for stage in stages_of(run.plan)
        ],
        "results": table_rows(run),
    }


def table_rows(run: Run) -> list[dict[str, Any]]:
    """The results' table of the furthest stage that is done: the ensemble's, else stage one's; the distilled model's
    rows stand with the ensemble's, split by split."""
    for stage in ("ensemble", "further", "search"):
        record = stage_records.read(run.engine, run.plan.name, stage)
        if record is not None and record.result is not None:
            rows: list[dict[str, Any]] = record.result["rows"]
            return _with_distilled(run, rows) if stage == "ensemble" else rows
    return []


def _with_distilled(run: Run, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    record = stage_records.read(run.engine, run.plan.name, "distil")
    if run.plan.distil is None or record is None or record.result is None:
        return rows
    splits = list(dict.fromkeys(row["split"] for row in rows))
    return sorted([*rows, *record.result["rows"]], key=lambda row: splits.index(row["split"]))
