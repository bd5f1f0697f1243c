"""What a study came to, as its stage's result records it."""

from collections.abc import Sequence
from typing import TypeVar

import optuna
from optuna.trial import FrozenTrial, TrialState

from stages.plan.duration import shown
from stages.results.stage_result import TimeLimitStop
from stages.results.study_results import (
    FIGURES,
    FreshSeeds,
    Scores,
    ShownTrial,
    StudiesResult,
    StudySummary,
    TrialFailure,
    Winner,
)
from stages.runtime.run_context import Run
from stages.study_runs.table_rows import figure_intervals
from storage.records import model_registry
from studies.ranking import best_trial
from studies.trials.model_record import model_name

Result = TypeVar("Result", bound=StudiesResult)


def summary(study: optuna.Study, target: int) -> StudySummary:
    """Counts of trials by state, best and baseline trial, failures with reasons. target: unless the study has one."""
    trials = study.get_trials(deepcopy=False)
    states = [trial.state for trial in trials]
    rechecked = [FreshSeeds.model_validate(figures) for figures in study.user_attrs.get("fresh", [])]  # best first
    return StudySummary(
        name=study.study_name,
        candidate=study.user_attrs.get("candidate"),
        what=study.user_attrs.get("what", "search"),
        target=study.user_attrs.get("budget", target),
        complete=states.count(TrialState.COMPLETE),
        pruned=states.count(TrialState.PRUNED),
        failed=states.count(TrialState.FAIL),
        running=states.count(TrialState.RUNNING),
        waiting=states.count(TrialState.WAITING),
        best=shown_trial(best_trial(study), rechecked),
        rechecked=rechecked,
        baseline=shown_trial(next((trial for trial in trials if trial.user_attrs.get("baseline")), None)),
        failures=[
            TrialFailure(trial=trial.number, state=trial.state.name.lower(), reason=trial.user_attrs["reason"])
            for trial in trials
            if "reason" in trial.user_attrs
        ],
    )


def shown_trial(trial: FrozenTrial | None, rechecked: Sequence[FreshSeeds] = ()) -> ShownTrial | None:
    """A trial with its figures over fresh seeds, where it was fitted again; None before it has ended."""
    if trial is None or not trial.state.is_finished():
        return None
    return ShownTrial(
        fresh=next((figures for figures in rechecked if figures.trial == trial.number), None),
        trial=trial.number,
        value=trial.value,
        params=trial.params,
        moved=trial.user_attrs.get("moved", ""),
        scores=Scores(**{name: trial.user_attrs.get(name) for name in FIGURES}),
        intervals=figure_intervals(trial.user_attrs["confusion"]) if "confusion" in trial.user_attrs else None,
    )


def stopped(run: Run, stage: str, studies: Sequence[StudySummary], timeout: float | None) -> TimeLimitStop | None:
    """How the time limit, in minutes, ended a search; None where all of its trials were run."""
    short = [s for s in studies if s.what.startswith("search") and s.complete + s.pruned < s.target]
    if not short or timeout is None:
        return None
    counts = ", ".join(f"{s.complete + s.pruned} of {s.target} trials of {s.candidate}" for s in short)
    command = f"moodline {stage} {run.plan.file.name}"
    message = f"its time limit of {shown(timeout)} stopped it after {counts}; go on with: {command}"
    return TimeLimitStop(message=message, trials=short[0].target, timeout=timeout)


def winner_of(stage: str, candidate: str, study: str, best: ShownTrial) -> Winner:
    """The winner of a stage. candidate: as in the name under which its weights are kept."""
    assert best.value is not None  # of a complete trial
    return Winner(
        candidate=candidate,
        study=study,
        trial=best.trial,
        value=best.value,
        fresh=best.fresh,
        name=model_name(stage, candidate, best.trial),
    )


def with_path(run: Run, result: Result) -> Result:
    """A stage's result with its winner's weights as a path on this machine; not stored, for a workspace may move."""
    record = model_registry.get(run.engine, run.plan.name, result.winner.name)
    path = None if record is None else str(run.files.fetch(record.path))  # where it is not kept any more
    return result.model_copy(update={"winner": result.winner.model_copy(update={"path": path})})
