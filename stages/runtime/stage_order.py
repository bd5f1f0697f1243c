"""The stages that a plan asks for, in the order in which they are done."""

from stages.plan.schema import Plan
from stages.results.status_result import RunOverview, StageState
from stages.results.study_results import ModelScores
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import STAGES, state_of
from storage.records import stage_records


def stages_of(plan: Plan) -> list[str]:
    """The stages that a plan asks for: without comments nothing is inferred, without their times no line is drawn."""
    wanted = _wanted(plan)
    return [stage for stage in all_in_order(plan) if stage in wanted]


def all_in_order(plan: Plan) -> list[str]:
    """All stages there are; adapting comes before the stage that the plan has it before."""
    stages = [stage for stage in STAGES if stage != "adapt"]
    before = "further" if plan.adapt is not None and plan.adapt.before == "further" else "search"
    stages.insert(stages.index(before), "adapt")
    return stages


def has_stage_two(run: Run) -> bool:
    """Whether stage two is done, and the plan still has one."""
    record = stage_records.read(run.engine, run.plan.name, "further")
    return run.plan.pseudo_label is not None and record is not None and record.state == "done"


def _wanted(plan: Plan) -> set[str]:
    own_comments = plan.pseudo_label is not None and plan.pseudo_label.sources is not None
    has_stage_two = plan.pseudo_label is not None and (bool(plan.comments) or own_comments)
    adapts = plan.adapt is not None and plan.comments and (plan.adapt.before == "search" or has_stage_two)
    return {
        "search",
        "ensemble",
        *(("adapt",) if adapts else ()),
        *(("label", "further") if has_stage_two else ()),
        *(("distil",) if plan.distil else ()),
        *(("infer",) if plan.comments else ()),
        *(("monitor",) if any(source.time for source in plan.comments) else ()),
    }


def overview(run: Run) -> RunOverview:
    """The plan's stages and the table of all models so far."""
    records = {record.stage: record for record in stage_records.read_all(run.engine, run.plan.name)}
    stages = [
        StageState(stage=stage, state=state_of(record), seconds=round(record.seconds, 2))
        if (record := records.get(stage))
        else StageState(stage=stage, state="waiting", seconds=0.0)
        for stage in stages_of(run.plan)
    ]
    return RunOverview(plan=str(run.plan.file), workspace=str(run.root), stages=stages, results=table_rows(run))


def table_rows(run: Run) -> list[ModelScores]:
    """The results' table of the furthest stage that is done: the ensemble's, else stage two's, else stage one's. The
    distilled model's rows stand with the ensemble's, split by split."""
    for stage in ("ensemble", "further", "search"):
        rows = _rows(run, stage)
        if rows is not None:
            return _with_distilled(run, rows) if stage == "ensemble" else rows
    return []


def _rows(run: Run, stage: str) -> list[ModelScores] | None:
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is None or record.result is None:
        return None
    return [ModelScores.model_validate(row) for row in record.result["rows"]]


def _with_distilled(run: Run, rows: list[ModelScores]) -> list[ModelScores]:
    distilled = _rows(run, "distil") if run.plan.distil is not None else None
    splits = list(dict.fromkeys(row.split for row in rows))
    return sorted([*rows, *distilled], key=lambda row: splits.index(row.split)) if distilled else rows
