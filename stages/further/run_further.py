"""Stage two: a study that starts from the winner's weights and trains on pseudo-labels and original data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from stages.further.comparison import compare
from stages.further.control_arms import SOURCES, Controls
from stages.further.control_runs import SelectedRecipe, run_controls
from stages.further.further_inputs import FurtherInputs, further_inputs
from stages.further.further_study import STAGE, study_of, task_of, value_interval
from stages.further.self_training_rounds import inputs_of_round, teachers
from stages.results.further_result import FurtherResult, FurtherWinner, Round
from stages.results.study_results import ModelScores, SearchResult, ShownTrial
from stages.runtime.predictor import model_record
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result, run_stage
from stages.study_runs.refit import Found, Job, search_and_refit
from stages.study_runs.selection_split import NO_GOLD
from stages.study_runs.summaries import stopped, winner_of, with_path
from stages.study_runs.table_rows import SIMULATED, trial_rows
from studies.trials.model_record import model_name
from transfer.errors import UserError


def run_further(run: Run) -> FurtherResult:
    """Searches mixtures and recipes, from stage one's winner on, and compares the best with its controls."""
    inputs, recheck = further_inputs(run), run.plan.further.refits
    extent = {
        "trials": run.plan.further.trials,
        "labels": len(inputs.pseudo.keys),
        "simulation": run.plan.is_simulation,
        "compared on": inputs.gold.report.fingerprint if inputs.gold else "pseudo-labels",
        **({"recheck": recheck.model_dump()} if recheck else {}),
        **({"rounds": run.plan.rounds.most} if run.plan.rounds else {}),
    }
    work = partial(_search, run, inputs, is_coordinator=True)
    return with_path(run, run_stage(run, FurtherResult, inputs.parts, extent, work))


def join_further(run: Run) -> FurtherResult:
    """Works on stage two's studies from another process."""
    return with_path(run, _search(run, further_inputs(run), is_coordinator=False))


@dataclass(frozen=True)
class _SearchedRound:
    """A round that was searched, and its selected trial."""

    shown: Round
    recipe: SelectedRecipe
    found: Found
    selected: ShownTrial


def _search(run: Run, inputs: FurtherInputs, *, is_coordinator: bool) -> FurtherResult:
    if inputs.target.source != "gold":
        run.report.message(f"{STAGE}: {NO_GOLD}")
    rounds = _rounds(run, inputs, is_coordinator=is_coordinator)
    best = max(rounds, key=lambda one: one.shown.value)  # the earliest of equals
    controls = run_controls(run, best.recipe, SOURCES, seeds=1, is_coordinator=is_coordinator)
    searched = [study for one in rounds for study in one.found.studies]
    result = FurtherResult(
        studies=[*searched, controls.study],
        winner=_winner(best),
        rounds=[one.shown for one in rounds],
        target=inputs.target.source,
        stopped=stopped(run, STAGE, searched, run.plan.further.timeout),
    )
    return _with_comparison(run, result, best, controls) if is_coordinator else result


def _rounds(run: Run, inputs: FurtherInputs, *, is_coordinator: bool) -> list[_SearchedRound]:
    """Round after round until one is no better than that before it, or as many as the plan has."""
    rounds = [_round(run, inputs, 1, (), is_coordinator=is_coordinator)]
    while run.plan.rounds is not None and len(rounds) < run.plan.rounds.most:
        if stopped(run, STAGE, rounds[-1].found.studies, run.plan.further.timeout):
            break  # its best trials are not known yet
        teacher = teachers(run, rounds[-1].recipe.study.name)
        rounds.append(_round(run, inputs, len(rounds) + 1, teacher, is_coordinator=is_coordinator))
        before, now = rounds[-2].shown, rounds[-1].shown
        run.report.message(f"{STAGE}: round {now.round}: {now.value:.4f}, round {before.round}: {before.value:.4f}")
        if now.value <= before.value:
            break
    return rounds


def _round(
    run: Run, inputs: FurtherInputs, number: int, teacher: Sequence[str], *, is_coordinator: bool
) -> _SearchedRound:
    own = inputs_of_round(run, inputs, number, teacher, is_coordinator=is_coordinator)
    task = task_of(run, own, number)
    study = study_of(run, own, task, number)
    run.report.message(f"{STAGE}: trains on {len(own.pseudo.keys)} pseudo-labels")
    found = search_and_refit(run, Job(study, task, recheck=run.plan.further.refits), is_coordinator=is_coordinator)
    selected = found.selected
    if selected is None:
        raise UserError("stage two: no trial is complete", "moodline status shows why each failed")
    name = model_name(STAGE, task.called or task.candidate, selected.trial)
    # a worker may get here before the weights are published
    interval = value_interval(run, own, model_record(run, name)) if is_coordinator else None
    labels, value = len(own.pseudo.keys), _value(selected)
    shown = Round(round=number, labels=labels, teacher=list(teacher), value=value, interval=interval)
    return _SearchedRound(shown, SelectedRecipe(own, study, task, selected.trial), found, selected)


def _value(selected: ShownTrial) -> float:
    """A selected trial's mean over fresh seeds where it has one, for that is not biased by the selection."""
    return selected.fresh.mean if selected.fresh else selected.value or 0.0


def _winner(best: _SearchedRound) -> FurtherWinner:
    task = best.recipe.task
    winner = winner_of(STAGE, task.called or task.candidate, best.recipe.study.name, best.selected)
    shown = best.shown
    return FurtherWinner(**{**dict(winner), "candidate": task.candidate}, round=shown.round, interval=shown.interval)


def _with_comparison(run: Run, result: FurtherResult, best: _SearchedRound, controls: Controls) -> FurtherResult:
    found = compare(run, best.recipe.inputs, result.winner.name, controls, run.plan.is_simulation)
    return result.model_copy(
        update={
            "rows": [*_search_rows(run, best), *found.rows],
            "comparisons": found.comparisons,
            "against_stage_one": found.against_stage_one,
            "warnings": [] if best.recipe.inputs.gold else [f"stage two: {NO_GOLD}"],
        }
    )


def _search_rows(run: Run, best: _SearchedRound) -> list[ModelScores]:
    """Stage one's table, and stage two's selected trial below it as its search saw it."""
    before = read_result(run, SearchResult).rows
    note = SIMULATED if run.plan.is_simulation else ""
    title, n = f"{best.recipe.inputs.winner.candidate}, stage two", len(best.recipe.inputs.original.validation.texts)
    return [*before, *trial_rows(title, STAGE, n, best.selected, note)]
