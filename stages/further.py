"""Stage two: a study that starts from the winner's weights and learns from pseudo-labels and original data."""

from collections.abc import Mapping
from typing import Any

from stages.adapt import adapts, run_adapt
from stages.compared import comparison
from stages.controls import SOURCES, Controls, run_controls
from stages.further_inputs import Inputs, inputs_of
from stages.further_task import STAGE, task_of
from stages.refit import Found, Job, search_and_refit
from stages.results import SIMULATED, Row, trial_rows
from stages.searching import stopped, winner_of, with_path
from stages.stage import do_stage, require_same, result_of
from stages.target import NO_GOLD
from stages.workspace import Run
from studies.again import RecheckSettings, recheck_of
from studies.search import Search
from studies.task import Task
from transfer.problem import Problem


def run_further(run: Run) -> dict[str, Any]:
    """Searches mixtures and recipes, from stage one's winner on, and compares the best with its controls.

    The result has `studies`, `winner`, `target`, `rows`, and what stages.compared says of `comparisons`,
    `against_stage_one` and `warnings`.
    """
    if adapts(run, "further"):
        run_adapt(run)
    inputs = inputs_of(run)
    recheck = _recheck(run)
    extent = {
        "trials": run.plan.further.trials,
        "labels": len(inputs.pseudo.keys),
        "simulation": is_simulated(run),
        "compared on": inputs.gold.report.fingerprint if inputs.gold else "pseudo-labels",
        **({"recheck": recheck.model_dump()} if recheck else {}),
    }
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, lambda: _search(run, inputs, leads=True)))


def further_result(run: Run) -> dict[str, Any]:
    """Stage two's result, for those who build on it.

    Raises Problem where it is not done, or was done with another plan or data.
    """
    result = result_of(run, STAGE)
    require_same(run, STAGE, inputs_of(run).parts)
    return result


def join_further(run: Run) -> dict[str, Any]:
    """Helps with stage two's studies from another process."""
    inputs = inputs_of(run)
    require_same(run, STAGE, inputs.parts)
    return with_path(run, _search(run, inputs, leads=False))


def is_simulated(run: Run) -> bool:
    """Whether the plan says that its labeller is a stand-in."""
    return run.plan.pseudo_label is not None and run.plan.pseudo_label.simulation


def search_of(run: Run, inputs: Inputs, task: Task, baseline: Mapping[str, Any]) -> Search:
    """Stage two's study."""
    settings, candidate = run.plan.further, inputs.winner["candidate"]
    return Search(
        name=f"{run.plan.name} · {STAGE} · {candidate}",
        direction="maximize",
        metric="macro_f1 on the target, less what the original loses",
        space=task.space,
        baseline=baseline,
        trials=settings.trials,
        seed=task.seed,
        sampler=settings.sampler,
        seeds=settings.seeds,
        pruner=settings.pruner,
        keep=settings.keep,
        timeout=None if settings.timeout is None else 60 * settings.timeout,
        attributes={"candidate": candidate, "stage": STAGE, "target": inputs.target.source},
    )


def _search(run: Run, inputs: Inputs, *, leads: bool) -> dict[str, Any]:
    if inputs.target.source != "gold":
        run.report.say(f"{STAGE}: {NO_GOLD}")
    task, baseline = task_of(run, inputs)
    plan_of = search_of(run, inputs, task, baseline)
    run.report.say(f"{STAGE}: learns from {len(inputs.pseudo.keys)} pseudo-labels")
    found = search_and_refit(run, Job(plan_of, task, recheck=_recheck(run)), leads=leads)
    if found.chosen is None:
        raise Problem("stage two: no trial is complete", "moodline status tells why each failed")
    controls = run_controls(run, inputs, plan_of, task, found.chosen["trial"], SOURCES, seeds=1, leads=leads)
    winner = winner_of(STAGE, task.candidate, plan_of.name, found.chosen)
    return {
        "studies": [*found.studies, controls.study],
        "winner": winner,
        "target": inputs.target.source,
        **(_compared(run, inputs, found, controls, winner["name"]) if leads else {}),
        "stopped": stopped(run, STAGE, found.studies, run.plan.further.timeout),
    }


def _compared(run: Run, inputs: Inputs, found: Found, controls: Controls, winner: str) -> dict[str, Any]:
    told = comparison(run, inputs, winner, controls, is_simulated(run))
    return {**told, "rows": [*_search_rows(run, inputs, found), *told["rows"]]}


def _search_rows(run: Run, inputs: Inputs, found: Found) -> list[Row]:
    """Stage one's table, and stage two's chosen trial below it as its search saw it."""
    before: list[Row] = result_of(run, "basic")["rows"]
    note = SIMULATED if is_simulated(run) else ""
    title, n = f"{inputs.winner['candidate']}, stage two", len(inputs.original.validation.texts)
    return [*before, *trial_rows(title, STAGE, n, found.chosen or {}, note)]


def _recheck(run: Run) -> RecheckSettings | None:
    settings = run.plan.further
    return recheck_of(settings.recheck, settings.trials, settings.keep)
