"""All stages in order; those that are done are skipped, so running again resumes."""

from collections.abc import Callable
from typing import Any

from stages.basic import run_basic
from stages.ensemble import run_ensemble
from stages.further import run_further
from stages.infer import run_infer
from stages.monitor import run_monitor
from stages.overview import overview, stages_of
from stages.pseudo_label import plan_labeller, run_pseudo_label
from stages.workspace import Run

Stage = Callable[[Run], dict[str, Any]]
DOES: dict[str, Stage] = {
    "basic": run_basic,
    "pseudo_label": run_pseudo_label,
    "further": run_further,
    "ensemble": run_ensemble,
    "infer": run_infer,
    "monitor": run_monitor,
}


def run_all(run: Run) -> dict[str, Any]:
    """Does what the plan asks for. The result has `plan`, `workspace`, `stages`, `results` and `page`."""
    if "pseudo_label" in stages_of(run.plan):
        plan_labeller(run.plan)  # what is wrong with it is told before stage one, not after
    results: dict[str, dict[str, Any]] = {}
    for stage in stages_of(run.plan):
        results[stage] = DOES[stage](run)
    labelled = results.get("pseudo_label")
    return overview(run) | {"labeller": labelled, "page": results.get("monitor", {}).get("page")}
