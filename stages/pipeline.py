"""All stages in order; those that are done are skipped, so running again resumes."""

from collections.abc import Callable
from typing import Any

from stages.distil.run_distil import run_distil
from stages.ensemble.run_ensemble import run_ensemble
from stages.further.ablation import run_ablation
from stages.further.run_further import further_result, run_further
from stages.infer.run_infer import run_infer
from stages.label.labeller_ensemble import require_labellers
from stages.label.run_label import run_label
from stages.monitor.run_monitor import run_monitor
from stages.runtime.overview import overview, stages_of
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import state_of
from stages.search.domain_adaptation import run_adapt
from stages.search.run_search import run_search, search_result
from stages.study_runs.study_runner import with_path
from storage.records import stage_records

Stage = Callable[[Run], dict[str, Any]]
DOES: dict[str, Stage] = {
    "adapt": run_adapt,
    "search": run_search,
    "label": lambda run: run_label(run).as_json(),
    "further": run_further,
    "ensemble": run_ensemble,
    "distil": run_distil,
    "infer": run_infer,
    "monitor": run_monitor,
    # by its own command alone
    "ablation": run_ablation,
}


def run_all(run: Run) -> dict[str, Any]:
    """Does what the plan asks for. The result has `plan`, `workspace`, `stages`, `results` and `page`."""
    if "label" in stages_of(run.plan):
        require_labellers(run.plan)  # what is wrong with it is told before stage one, not after
    results: dict[str, dict[str, Any]] = {}
    for stage in stages_of(run.plan):
        results[stage] = _rested(run, stage) or DOES[stage](run)
    labelled = results.get("label")
    return overview(run) | {"labeller": labelled, "page": results.get("monitor", {}).get("page")}


def run_one(run: Run, stage: str) -> dict[str, Any]:
    """One stage; with the ensemble's, under `distilled`, what came of the model that learns from it, if any."""
    result = DOES[stage](run)
    return result | {"distilled": run_distil(run)} if stage == "ensemble" and run.plan.distil else result


def _rested(run: Run, stage: str) -> dict[str, Any] | None:
    """The result of a search that its time limit stopped, while the plan asks for no more than it did then.

    Its own command goes on with it. A run builds on its best so far: later stages may have done so already, and a new
    winner would make them begin anew.
    """
    record = stage_records.read(run.engine, run.plan.name, stage)
    if record is None or record.result is None or state_of(record) != "stopped":
        return None
    settings = run.plan.search if stage == "search" else run.plan.further
    before = record.result["stopped"]
    if (before["trials"], before["timeout"]) != (settings.trials, settings.timeout):
        return None
    result = search_result(run) if stage == "search" else further_result(run)
    run.report.message(f"{stage}: {before['message']}")
    return with_path(run, result)
