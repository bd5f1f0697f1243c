"""Running one study, for stage one and two alike: its worker's loop, its kept models, its progress."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from stages.plan.duration import shown
from stages.plan.plan_settings import SearchSettings
from stages.runtime.progress import ProgressReporter
from stages.runtime.run_context import Run, store_url
from stages.study_runs.search_warnings import search_notes
from stages.study_runs.table_rows import FIGURES, figure_intervals
from storage.files.file_store import FileStore
from storage.records import model_registry, stage_records
from storage.records.trial_slots import slots
from studies.dashboard.study_updates import StudyUpdates, show_trial
from studies.enumerated_trials import EnumeratedTrial, assign_slots
from studies.heartbeat import Heartbeat
from studies.lasting_names import lasting_study_name
from studies.model_record import model_name
from studies.objective import run_trial
from studies.optuna_storage import open_optuna
from studies.pruners import pruner_for
from studies.ranking import best_trial
from studies.space.dimensions import Choices, Dimension, Range, fixed_value
from studies.study_config import StudyConfig
from studies.time_limit import TimeLimit
from studies.top_k_models import TopKModels
from studies.trial_claims import TrialClaims
from studies.trial_result import TrialResult
from studies.trial_state import remove_ended
from studies.trial_task import TrialTask
from studies.worker_loop import POLL_SECONDS, TrialEnd, open_study, work
from transfer.errors import UserError


def search(run: Run, plan_of: StudyConfig, task: TrialTask, *, leads: bool) -> optuna.Study:
    """Runs trials of a study until its budget is used up; whoever leads makes the study where it is not there.

    A study with a queue has as many trials as entries, those of earlier queues included.
    Raises UserError where a worker that does not lead finds no such study.
    """
    storage = open_optuna(store_url(run.plan))
    study = open_study(storage, plan_of) if leads else _existing(run, storage, plan_of, task.stage)
    if plan_of.queue is not None:
        plan_of = _listed(run, plan_of, plan_of.queue, study, leads)
    claims = TrialClaims(run.engine, plan_of.name, run.worker)
    kept_models = TopKModels(run.engine, run.files, run.plan.name, study, plan_of.keep)
    scratch = run.scratch / slug(lasting_study_name(plan_of.name))

    updates = StudyUpdates(study, plan_of, kept_models, run.plan.file) if leads else None

    def after_trial() -> None:
        kept_models.tidy()
        remove_ended(study, scratch)
        if updates is not None:
            updates.after_trial()

    def one(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        return run_trial(trial, task, kept_models, scratch, watcher, heartbeat)

    if updates is not None:
        updates.begin()
    if leads and plan_of.queue is None:
        for note in search_notes(plan_of):
            run.report.message(note)
    # the fits that a list asks for are few, and belong to a search that is done
    timeout = plan_of.timeout if plan_of.queue is None else None
    limit = TimeLimit(study, timeout, leads=leads, since=_began(run, task.stage))
    if leads:
        kept_models.remove_unrecorded(f"models/{scratch.name}")
    after_trial()  # what a kill left half done
    if leads:
        run.crew.call()
    with _Watcher(run.report, plan_of) as watcher:
        work(study, plan_of, claims, one, after_trial, limit.is_over)
    if updates is not None:
        updates.finish()
    return study


def stopped(run: Run, stage: str, studies: Sequence[Mapping[str, Any]], timeout: float | None) -> dict[str, Any] | None:
    """Of a search that its time limit ended: `message`, and the `trials` and `timeout` (minutes) that it was to have.

    None where all of its trials were run.
    """
    sampled = [study for study in studies if study["what"].startswith("search")]
    short = [study for study in sampled if study["complete"] + study["pruned"] < study["target"]]
    if not short or timeout is None:
        return None
    counts = ", ".join(f"{s['complete'] + s['pruned']} of {s['target']} trials of {s['candidate']}" for s in short)
    command = f"moodline {stage} {run.plan.file.name}"
    message = f"its time limit of {shown(timeout)} stopped it after {counts}; go on with: {command}"
    return {"message": message, "trials": short[0]["target"], "timeout": timeout}


def summary(study: optuna.Study, target: int) -> dict[str, Any]:
    """A study as `status` and `search` show it: counts by state, best and baseline trial, failures with reasons."""
    trials = study.get_trials(deepcopy=False)
    states = [trial.state for trial in trials]
    baseline = next((trial for trial in trials if trial.user_attrs.get("baseline")), None)
    return {
        "name": study.study_name,
        "candidate": study.user_attrs.get("candidate"),
        "what": study.user_attrs.get("what", "search"),
        "target": study.user_attrs.get("budget", target),
        "complete": states.count(TrialState.COMPLETE),
        "pruned": states.count(TrialState.PRUNED),
        "failed": states.count(TrialState.FAIL),
        "running": states.count(TrialState.RUNNING),
        "waiting": states.count(TrialState.WAITING),
        "best": shown_trial(best_trial(study), study.user_attrs.get("fresh", [])),
        "rechecked": study.user_attrs.get("fresh", []),
        "baseline": shown_trial(baseline),
        "failures": [
            {"trial": trial.number, "state": trial.state.name.lower(), "reason": trial.user_attrs["reason"]}
            for trial in trials
            if "reason" in trial.user_attrs
        ],
    }


def winner_of(stage: str, candidate: str, study: str, best: Mapping[str, Any]) -> dict[str, Any]:
    """The winner of a stage: which trial of which study, its value, what it came to over fresh seeds (None where it was
    not tried), and the name under which it is kept."""
    known = {"candidate": candidate, "study": study, "trial": best["trial"], "value": best["value"]}
    known |= {"fresh": best.get("fresh")}
    return {**known, "name": model_name(stage, candidate, best["trial"])}


def with_path(run: Run, result: dict[str, Any]) -> dict[str, Any]:
    """A stage's result, its winner's weights as a path on this machine; not recorded, for a workspace may move."""
    record = model_registry.get(run.engine, run.plan.name, result["winner"]["name"])
    path = None if record is None else str(run.files.fetch(record.path))
    return {**result, "winner": {**result["winner"], "path": path}}


def fitted_space(space: Mapping[str, Dimension], most: int) -> dict[str, Dimension]:
    """The space with max_length held to what the encoder takes; dropping in silence would train on other lengths."""
    length = space["max_length"]
    if isinstance(length, Choices):
        fitting = sorted({min(int(choice), most) for choice in length.choices})
        return {**space, "max_length": Choices(choices=list(fitting))}
    if isinstance(length, Range):
        low, high = min(int(length.low), most), min(int(length.high), most)
        return {**space, "max_length": length.model_copy(update={"low": low, "high": high})}
    return {**space, "max_length": min(int(fixed_value(length)), most)}


def resources(settings: SearchSettings) -> dict[str, Any]:
    """What a trial may take up, as fields of a Task: memory and time. It is no part of any fingerprint."""
    minutes = settings.trial_timeout
    return {
        "token_budget": settings.token_budget,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "time_limit": None if minutes is None else 60 * minutes,
    }


def longest_of(space: Mapping[str, Dimension]) -> int:
    """The most tokens that a trial of the space may read."""
    length = space["max_length"]
    if isinstance(length, Choices):
        return max(int(choice) for choice in length.choices)
    return int(length.high if isinstance(length, Range) else fixed_value(length))


def slug(name: str) -> str:
    """A folder's name for a study: readable, and never the same for two."""
    return re.sub(r"[^\w.-]+", "-", name)[:80] + "-" + hashlib.sha256(name.encode()).hexdigest()[:6]


def shown_trial(trial: FrozenTrial | None, rechecked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any] | None:
    """A trial as JSON shows it: `scores` on validation with 95 % `intervals`, and, where it was fitted again, its
    figures over `fresh` seeds; None before it has ended."""
    if trial is None or not trial.state.is_finished():
        return None
    return {
        "fresh": next((dict(figures) for figures in rechecked if figures["trial"] == trial.number), None),
        "trial": trial.number,
        "value": trial.value,
        "params": trial.params,
        "moved": trial.user_attrs.get("moved", ""),
        "scores": {name: trial.user_attrs.get(name) for name in FIGURES},
        "intervals": figure_intervals(trial.user_attrs["confusion"]) if "confusion" in trial.user_attrs else None,
    }


def _listed(
    run: Run, plan_of: StudyConfig, wanted: Sequence[EnumeratedTrial | None], study: optuna.Study, leads: bool
) -> StudyConfig:
    queue = assign_slots([entry for entry in wanted if entry], study, slots(run.engine, plan_of.name))
    if leads and study.user_attrs.get("budget") != len(queue):
        study.set_user_attr("budget", len(queue))
    return replace(plan_of, queue=queue, trials=len(queue))


def _existing(run: Run, storage: BaseStorage, plan_of: StudyConfig, stage: str) -> optuna.Study:
    """The leader's study, waited for while the stage runs: the leader may be at an earlier one, or reading its data."""
    while True:
        if plan_of.name in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=plan_of.name, storage=storage)
            study.pruner = pruner_for(plan_of.pruner, plan_of.most_steps)  # the database keeps none
            return study
        record = stage_records.read(run.engine, run.plan.name, stage)
        if record is None or record.state != "running":
            raise UserError(
                f"study '{plan_of.name}' is not there to join", "begin it in another terminal with: moodline search"
            )
        time.sleep(POLL_SECONDS)


def _began(run: Run, stage: str) -> float:
    """When this run of the stage began, in seconds since 1970 by its leader's clock."""
    record = stage_records.read(run.engine, run.plan.name, stage)
    return record.started_at.timestamp() if record is not None else 0.0


class _Watcher:
    """Draws each trial as a bar of its examples, and says what every trial came to."""

    def __init__(self, report: ProgressReporter, plan_of: StudyConfig) -> None:
        self.report, self.plan_of = report, plan_of
        self.stack = ExitStack()

    def __enter__(self) -> "_Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        self.stack.close()
        what = f"{self.plan_of.name} · trial {number}"
        return self.stack.enter_context(self.report.bar(what, epochs * examples, "examples"))

    def epoch(self, number: int, epoch: int, value: float) -> None:
        what = f"{self.plan_of.name} · trial {number}, epoch {epoch}: {self.plan_of.metric} {value:.4f}"
        self.report.message(what)

    def result(self, trial: optuna.Trial, files: FileStore, result: TrialResult) -> None:
        show_trial(trial, files, result)

    def note(self, number: int, text: str) -> None:
        self.report.message(f"{self.plan_of.name} · trial {number}: {text}")
