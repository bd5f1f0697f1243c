"""All stages in order; those that are done are skipped, so running again resumes.

It alone imports the stages. A stage reads the results of those before it from the store; that they were made with the
inputs that the plan and its data give now is checked here, before the stage begins.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from stages.adapt.run_adapt import adapt_before, require_same_adaptation, run_adapt
from stages.distil.run_distil import run_distil
from stages.ensemble.run_ensemble import run_ensemble
from stages.further.ablation import join_ablation, run_ablation
from stages.further.further_inputs import further_inputs
from stages.further.run_further import join_further, run_further
from stages.infer.run_infer import run_infer
from stages.label.labeller_ensemble import named_labellers, require_labellers
from stages.label.run_label import run_label
from stages.monitor.run_monitor import run_monitor
from stages.results.further_result import FurtherResult
from stages.results.label_result import LabelResult
from stages.results.monitor_result import MonitorResult
from stages.results.run_result import RunResult
from stages.results.stage_result import StageResult
from stages.results.study_results import SearchResult, StudiesResult
from stages.runtime.adapted_encoders import adapts
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result, require_same, state_of
from stages.runtime.stage_order import has_stage_two, overview, stages_of
from stages.search.run_search import join_search, run_search
from stages.search.search_study import search_inputs
from stages.study_runs.summaries import with_path
from storage.records import stage_records

Searched = Literal["search", "further"]


def require_done(run: Run, stage: Searched) -> None:
    """Raises UserError where a stage, or what it builds on, is not done, or was done with other inputs than the plan
    and data give now."""
    read_result(run, SearchResult if stage == "search" else FurtherResult)
    require_same_inputs(run, stage)


def require_same_inputs(run: Run, stage: Searched) -> None:
    """The same, where the stage itself need not be done yet."""
    if stage == "further":
        require_done(run, "search")
    if adapts(run, stage):
        require_same_adaptation(run)
    require_same(run, stage, (search_inputs(run) if stage == "search" else further_inputs(run)).parts)


def _before_label(run: Run) -> None:
    """A labeller that is a teacher, and comments that are selected by doubt, need stage one."""
    settings = run.plan.pseudo_label
    selects = settings is not None and settings.choose in {"uncertain", "mixed"}
    if selects or any(labeller.teacher for _, labeller in named_labellers(run.plan)):
        require_done(run, "search")


def _before_further(run: Run) -> None:
    require_done(run, "search")  # what would be refused is not adapted first
    adapt_before(run, "further")


DOES: dict[str, Callable[[Run], StageResult]] = {
    "adapt": run_adapt,
    "search": run_search,
    "label": run_label,
    "further": run_further,
    "ensemble": run_ensemble,
    "distil": run_distil,
    "infer": run_infer,
    "monitor": run_monitor,
    # by its own command alone
    "ablation": run_ablation,
}
# Checks and adaptation before a stage; the others read from the store alone.
BEFORE: dict[str, Callable[[Run], object]] = {
    "search": partial(adapt_before, stage="search"),
    "label": _before_label,
    "further": _before_further,
    "ablation": lambda run: execute(run, "further"),
    "ensemble": lambda run: require_done(run, "further" if has_stage_two(run) else "search"),
}
# How a worker checks that its inputs are the coordinator's, and its part of the work.
JOINS: dict[str, tuple[Callable[[Run], None], Callable[[Run], StudiesResult]]] = {
    "search": (partial(require_same_inputs, stage="search"), join_search),
    "further": (partial(require_same_inputs, stage="further"), join_further),
    "ablation": (partial(require_done, stage="further"), join_ablation),
}


def run_all(run: Run) -> RunResult:
    """Does what the plan asks for."""
    stages = stages_of(run.plan)
    if "label" in stages:
        require_labellers(run.plan)  # before stage one, which may take days
    results = {stage: _rested(run, stage) or execute(run, stage) for stage in stages}
    labeller, line = results.get("label"), results.get("monitor")
    return RunResult(
        **dict(overview(run)),
        labeller=labeller if isinstance(labeller, LabelResult) else None,
        page=line.page if isinstance(line, MonitorResult) else None,
    )


def run_one(run: Run, stage: str) -> StageResult:
    """What a stage's command does; the ensemble's also distils, where the plan has that."""
    result = execute(run, stage)
    if stage != "ensemble" or not run.plan.distil:
        return result
    return result.model_copy(update={"distilled": execute(run, "distil")})


def execute(run: Run, stage: str) -> StageResult:
    """One stage. Raises UserError where one that it builds on is not done, or was done with other inputs."""
    if stage in BEFORE:
        BEFORE[stage](run)
    return DOES[stage](run)


def join_stage(run: Run, stage: str) -> StudiesResult:
    """Works on a stage's studies from another process. Raises UserError where its inputs are others here."""
    check, join = JOINS[stage]
    check(run)
    return join(run)


def _rested(run: Run, stage: str) -> StudiesResult | None:
    """The result of a search that its time limit stopped, while the plan asks for no more than it did then.

    Its own command goes on with it. A run builds on its best so far: later stages may have done so already, and a new
    winner would make them begin again.
    """
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is None or state_of(record) != "stopped":
        return None
    is_one = stage == "search"
    settings = run.plan.search if is_one else run.plan.further
    result = read_result(run, SearchResult if is_one else FurtherResult)
    before = result.stopped
    if before is None or (before.trials, before.timeout) != (settings.trials, settings.timeout):
        return None
    require_done(run, "search" if is_one else "further")
    run.report.message(f"{stage}: {before.message}")
    return with_path(run, result)
