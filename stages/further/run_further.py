"""Stage two: a study that starts from the winner's weights and learns from pseudo-labels and original data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.further.comparison import comparison
from stages.further.control_runs import SOURCES, Controls, run_controls
from stages.further.further_inputs import Inputs, inputs_of
from stages.further.further_study import STAGE, task_of, value_interval
from stages.further.selection_split import NO_GOLD
from stages.further.self_training_rounds import Round, inputs_of_round, round_name, teachers
from stages.runtime.predictor import model_record
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import do_stage, require_same, result_of
from stages.search.domain_adaptation import adapt_before, adapts
from stages.search.run_search import search_result
from stages.study_runs.refit import Found, Job, search_and_refit
from stages.study_runs.study_runner import stopped, winner_of, with_path
from stages.study_runs.table_rows import SIMULATED, Row, trial_rows
from studies.model_record import model_name
from studies.refit_settings import RecheckSettings, recheck_of
from studies.study_config import StudyConfig
from studies.trial_task import TrialTask
from transfer.errors import UserError


def run_further(run: Run) -> dict[str, Any]:
    """Searches mixtures and recipes, from stage one's winner on, and compares the best with its controls.

    The result has `studies`, `winner`, `target`, `rows`, and what stages.further.comparison says of `comparisons`,
    `against_stage_one` and `warnings`.
    """
    if adapts(run, "further"):
        search_result(run)  # what would be refused is not adapted first
        adapt_before(run, "further")
    inputs = inputs_of(run)
    recheck = _recheck(run)
    extent = {
        "trials": run.plan.further.trials,
        "labels": len(inputs.pseudo.keys),
        "simulation": is_simulated(run),
        "compared on": inputs.gold.report.fingerprint if inputs.gold else "pseudo-labels",
        **({"recheck": recheck.model_dump()} if recheck else {}),
        **({"rounds": run.plan.rounds.most} if run.plan.rounds else {}),
    }
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, lambda: _search(run, inputs, leads=True)))


def further_result(run: Run) -> dict[str, Any]:
    """Stage two's result, for those who build on it.

    Raises UserError where it is not done, or was done with another plan or data.
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


def search_of(run: Run, inputs: Inputs, task: TrialTask, baseline: Mapping[str, Any], number: int = 1) -> StudyConfig:
    """The study of one of stage two's rounds."""
    settings, candidate = run.plan.further, inputs.winner["candidate"]
    name = f"{run.plan.name} · {STAGE} · {candidate}"
    return StudyConfig(
        name=name if number == 1 else f"{name} · {round_name(inputs, number)}",
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


@dataclass(frozen=True)
class _Searched:
    """A round that was searched. inputs: what it learnt from."""

    told: Round
    inputs: Inputs
    plan_of: StudyConfig
    task: TrialTask
    found: Found

    @property
    def chosen(self) -> dict[str, Any]:
        assert self.found.chosen is not None
        return self.found.chosen


def _search(run: Run, inputs: Inputs, *, leads: bool) -> dict[str, Any]:
    if inputs.target.source != "gold":
        run.report.message(f"{STAGE}: {NO_GOLD}")
    rounds = _rounds(run, inputs, leads=leads)
    best = max(rounds, key=lambda one: one.told.value)  # the earliest of equals
    trial, winner = best.chosen["trial"], _winner(best)
    controls = run_controls(run, best.inputs, best.plan_of, best.task, trial, SOURCES, seeds=1, leads=leads)
    searched = [study for one in rounds for study in one.found.studies]
    return {
        "studies": [*searched, controls.study],
        "winner": winner,
        "rounds": [one.told.as_dict() for one in rounds],
        "target": inputs.target.source,
        **(_compared(run, best, controls, winner["name"]) if leads else {}),
        "stopped": stopped(run, STAGE, searched, run.plan.further.timeout),
    }


def _rounds(run: Run, inputs: Inputs, *, leads: bool) -> list[_Searched]:
    """Round after round until one is no better than that before it, or as many as the plan has."""
    rounds = [_round(run, inputs, 1, (), leads=leads)]
    limit = run.plan.further.timeout
    while run.plan.rounds is not None and len(rounds) < run.plan.rounds.most:
        if stopped(run, STAGE, rounds[-1].found.studies, limit):
            break  # its best trials are not known yet
        number, teacher = len(rounds) + 1, teachers(run, rounds[-1].plan_of.name)
        rounds.append(_round(run, inputs, number, teacher, leads=leads))
        before, now = rounds[-2].told, rounds[-1].told
        run.report.message(f"{STAGE}: round {now.number}: {now.value:.4f}, round {before.number}: {before.value:.4f}")
        if now.value <= before.value:
            break
    return rounds


def _round(run: Run, inputs: Inputs, number: int, teacher: Sequence[str], *, leads: bool) -> _Searched:
    own = inputs_of_round(run, inputs, number, teacher, leads=leads)
    task, baseline = task_of(run, own, number)
    plan_of = search_of(run, own, task, baseline, number)
    run.report.message(f"{STAGE}: learns from {len(own.pseudo.keys)} pseudo-labels")
    found = search_and_refit(run, Job(plan_of, task, recheck=_recheck(run)), leads=leads)
    if found.chosen is None:
        raise UserError("stage two: no trial is complete", "moodline status tells why each failed")
    name = model_name(STAGE, task.called or task.candidate, found.chosen["trial"])
    # a worker may be ahead of who keeps the weights
    interval = value_interval(run, own, model_record(run, name)) if leads else None
    told = Round(number, len(own.pseudo.keys), teacher, _worth(found.chosen), interval)
    return _Searched(told, own, plan_of, task, found)


def _worth(chosen: Mapping[str, Any]) -> float:
    """Of a chosen trial: its mean over fresh seeds where it has one, for that does not flatter."""
    return float(chosen["fresh"]["mean"] if chosen.get("fresh") else chosen["value"])


def _winner(best: _Searched) -> dict[str, Any]:
    winner = winner_of(STAGE, best.task.called or best.task.candidate, best.plan_of.name, best.chosen)
    return {**winner, "candidate": best.task.candidate, "round": best.told.number, "interval": best.told.interval}


def winning_round(run: Run, inputs: Inputs, result: Mapping[str, Any], *, leads: bool) -> tuple[Inputs, int]:
    """What the round of stage two's winner learnt from, and its number."""
    number = int(result["winner"].get("round", 1))
    teacher = result["rounds"][number - 1]["teacher"] if number > 1 else ()
    return inputs_of_round(run, inputs, number, teacher, leads=leads), number


def _compared(run: Run, best: _Searched, controls: Controls, winner: str) -> dict[str, Any]:
    told = comparison(run, best.inputs, winner, controls, is_simulated(run))
    return {**told, "rows": [*_search_rows(run, best.inputs, best.found), *told["rows"]]}


def _search_rows(run: Run, inputs: Inputs, found: Found) -> list[Row]:
    """Stage one's table, and stage two's chosen trial below it as its search saw it."""
    before: list[Row] = result_of(run, "search")["rows"]
    note = SIMULATED if is_simulated(run) else ""
    title, n = f"{inputs.winner['candidate']}, stage two", len(inputs.original.validation.texts)
    return [*before, *trial_rows(title, STAGE, n, found.chosen or {}, note)]


def _recheck(run: Run) -> RecheckSettings | None:
    settings = run.plan.further
    return recheck_of(settings.recheck, settings.trials, settings.keep)
