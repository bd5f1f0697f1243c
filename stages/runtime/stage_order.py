"""The stages that a plan asks for, in the order in which they are done."""

from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import STAGES
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
