"""Queues a trial by hand: it is checked against the study's own space, and the next that the study runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import TrialState
from pydantic import JsonValue, TypeAdapter

from stages.plan.yaml_document import parse_value
from stages.results.stage_result import Record
from stages.runtime.run_context import Run, store_url
from studies.optuna_storage import open_optuna
from studies.space.dimensions import Choices, Dimension, DimensionField, Range, Space, condition_of
from studies.space.space_validation import has_value, unknown, value_problem, values_of
from studies.space.suggest import nearest
from studies.workers.next_trial import queue_trial
from transfer.errors import UserError, UserErrors


class QueuedTrial(Record):
    """waiting: trials in the study's queue, this one included. left: how many the budget still has room for. message:
    for people."""

    study: str
    trial: int
    params: dict[str, JsonValue]
    waiting: int
    left: int
    message: str


DIMENSION: TypeAdapter[Dimension] = TypeAdapter(DimensionField)


def enqueue_trial(run: Run, settings: Sequence[str], candidate: str | None, stage: str) -> QueuedTrial:
    """Queues a trial with these parameters in a study, which may be running; it is the next that the study runs.

    settings: "learning_rate=1e-4" and the like. What they leave out is as in the study's baseline.
    Raises UserErrors with all that is wrong with the settings, UserError where there is no such study.
    """
    study = _study(run, candidate, stage)
    space = {name: DIMENSION.validate_python(value) for name, value in study.user_attrs["space"].items()}
    given = _given(settings, study.study_name)
    problems = {name: text for name, value in given.items() if (text := _value_problem(name, value, space))}
    possible = {name: value for name, value in given.items() if name not in problems}
    params = nearest({**study.user_attrs["baseline"], **possible}, space)
    problems |= {name: text for name in possible if (text := _condition_problem(name, space[name], params))}
    if problems:
        raise UserErrors(f"{study.study_name}: this trial cannot be queued", list(problems.values()))
    trial = queue_trial(study, space, params, {"enqueued": True})
    return _queued(run, study, stage, trial, params)


def _queued(run: Run, study: optuna.Study, stage: str, trial: int, params: Mapping[str, Any]) -> QueuedTrial:
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    target = run.plan.search.trials if stage == "search" else run.plan.further.trials
    used = sum(states.count(state) for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING))
    waiting, left = states.count(TrialState.WAITING), max(target - used, 0)
    key = f"{stage}.trials"
    command = f"moodline {stage} {run.plan.file.name}"
    when = f"runs next, or with: {command}"
    if waiting > left:
        when = f"has no room in the {target} trials of {key}; let it run with: {command} --set {key}={used + waiting}"
    listed = ", ".join(f"{name} {value}" for name, value in params.items())
    message = f"trial {trial} waits in '{study.study_name}': {listed}\n  it {when}"
    return QueuedTrial(
        study=study.study_name, trial=trial, params=dict(params), waiting=waiting, left=left, message=message
    )


def _study(run: Run, candidate: str | None, stage: str) -> optuna.Study:
    """The study of a stage and candidate. Raises UserError where it is not clear which, or it has not begun."""
    storage = open_optuna(store_url(run.plan))
    prefix = f"{run.plan.name} · {stage} · "
    names = set(optuna.get_all_study_names(storage))
    begun = [candidate for candidate in run.plan.candidates if prefix + candidate in names]
    known = run.plan.candidates if stage == "search" else begun
    if candidate is None and len(known) > 1:
        raise UserError(f"--candidate is needed: the plan has {len(known)} of them", f"one of {', '.join(known)}")
    if candidate is not None and candidate not in run.plan.candidates:
        raise UserError(
            f"--candidate {candidate}: the plan has no such one", f"one of {', '.join(run.plan.candidates)}"
        )
    wanted = candidate or next(iter(known), None)
    study = optuna.load_study(study_name=prefix + wanted, storage=storage) if wanted in begun else None
    if wanted is None or study is None or "space" not in study.user_attrs:
        raise UserError(
            f"{prefix}{wanted or '…'}: this study has not begun, so there is no queue yet",
            f"begin it with: moodline {stage} {run.plan.file.name}",
            "and queue the trial from another terminal, or raise its number of trials afterwards",
        )
    return study


def _given(settings: Sequence[str], study: str) -> dict[str, object]:
    """Names and values as they were written. Raises UserError where one is no KEY=VALUE, or stands twice."""
    given: dict[str, object] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name or not value:
            raise UserError(f"{setting}: a parameter and its value are needed", "as in learning_rate=1e-4")
        if name in given:
            raise UserError(
                f"{setting}: {name} stands twice for one trial of '{study}'", "queue two trials, one by one"
            )
        given[name] = parse_value(value, setting)
    return given


def _value_problem(name: str, value: Any, space: Space) -> str | None:
    """Why no trial of the space may have the value."""
    if name not in space:
        return unknown(name, sorted(space))
    if not isinstance(value, bool | int | float | str):
        return f"{name}: one value is needed, got {value!r}"
    wrong = value_problem(name, value)
    if wrong is not None or has_value(name, space[name], value):
        return wrong
    return f"{name} is {values_of(space[name])} in this study, and no trial of it may have {value!r}"


def _condition_problem(name: str, dimension: Dimension, params: Mapping[str, Any]) -> str | None:
    if name in params or not isinstance(dimension, Range | Choices):
        return None
    needed = ", ".join(f"{other}={values[0]}" for other, values in condition_of(dimension).items())
    return f"{name} is tried only under a condition, which does not hold here\n  add {needed}, or leave {name} out"
