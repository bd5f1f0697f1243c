"""Running one study as one of its workers: trials until its budget is used up, kept models, progress."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.storages import BaseStorage

from stages.runtime.progress import ProgressReporter
from stages.runtime.run_context import Run, slug, store_url
from stages.study_runs.study_settings import search_warnings
from storage.files.file_store import FileStore
from storage.records import stage_records
from storage.records.trial_slots import slots
from studies.dashboard.study_updates import StudyUpdates, show_trial
from studies.legacy_names import legacy_study_name
from studies.optuna_storage import open_optuna
from studies.sampling.enumerated_trials import EnumeratedTrial, assign_slots
from studies.sampling.pruners import pruner_for
from studies.study_config import StudyConfig
from studies.top_k_models import TopKModels
from studies.trials.heartbeat import Heartbeat
from studies.trials.objective import run_trial
from studies.trials.trial_result import TrialEnd, TrialResult
from studies.trials.trial_resume import remove_ended
from studies.trials.trial_task import TrialTask
from studies.workers.time_limit import TimeLimit
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import POLL_SECONDS, open_study, work
from transfer.errors import UserError


def run_study(run: Run, config: StudyConfig, task: TrialTask, *, is_coordinator: bool) -> optuna.Study:
    """Runs trials of a study until its budget is used up.

    The coordinator creates the study, or goes on with it; workers wait for it. A study with a queue has as many trials
    as entries, those of earlier queues included.
    Raises UserError where a worker finds no such study, and the stage does not run.
    """
    storage = open_optuna(store_url(run.plan))
    study = open_study(storage, config) if is_coordinator else _existing(run, storage, config, task.stage)
    if config.queue is not None:
        config = _with_earlier_entries(run, config, config.queue, study, is_coordinator)
    kept = TopKModels(run.engine, run.files, run.plan.name, study, config.keep)
    scratch = run.scratch / slug(legacy_study_name(config.name))
    if not is_coordinator:
        _work(run, config, task, study, kept, scratch, lambda: None)
        return study
    updates = StudyUpdates(study, config, kept, run.plan.file)
    updates.begin()
    for warning in search_warnings(config) if config.queue is None else ():
        run.report.message(warning)
    kept.remove_unrecorded(f"models/{scratch.name}")
    _work(run, config, task, study, kept, scratch, updates.after_trial, run.local_workers.start)
    updates.finish()
    return study


def _work(
    run: Run,
    config: StudyConfig,
    task: TrialTask,
    study: optuna.Study,
    kept: TopKModels,
    scratch: Path,
    update: Callable[[], None],
    start_workers: Callable[[], None] | None = None,
) -> None:
    """This process's part of the trials. start_workers: of the coordinator, which alone has one."""
    # a queue asks for few fits, and they belong to a search that is done
    timeout = config.timeout if config.queue is None else None
    limit = TimeLimit(study, timeout, leads=start_workers is not None, since=_began(run, task.stage))
    claims = TrialClaims(run.engine, config.name, run.worker)

    def after_trial() -> None:
        kept.tidy()
        remove_ended(study, scratch)
        update()

    def one(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        return run_trial(trial, task, kept, scratch, progress, heartbeat)

    after_trial()  # what a kill left half done
    if start_workers is not None:
        start_workers()
    with _TrialProgress(run.report, config) as progress:
        work(study, config, claims, one, after_trial, limit.is_over)


def _with_earlier_entries(
    run: Run,
    config: StudyConfig,
    wanted: Sequence[EnumeratedTrial | None],
    study: optuna.Study,
    is_coordinator: bool,
) -> StudyConfig:
    queue = assign_slots([entry for entry in wanted if entry], study, slots(run.engine, config.name))
    if is_coordinator and study.user_attrs.get("budget") != len(queue):
        study.set_user_attr("budget", len(queue))
    return replace(config, queue=queue, trials=len(queue))


def _existing(run: Run, storage: BaseStorage, config: StudyConfig, stage: str) -> optuna.Study:
    """The coordinator's study, waited for while the stage runs: an earlier one may be running, or its data be read."""
    while True:
        if config.name in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=config.name, storage=storage)
            study.pruner = pruner_for(config.pruner, config.most_steps)  # the database keeps none
            return study
        record = stage_records.read(run.engine, run.plan.name, stage)
        if record is None or record.state != "running":
            raise UserError(
                f"study '{config.name}' is not there to join", "begin it in another terminal with: moodline search"
            )
        time.sleep(POLL_SECONDS)


def _began(run: Run, stage: str) -> float:
    """When this run of the stage began, in seconds since 1970 by its coordinator's clock."""
    record = stage_records.read(run.engine, run.plan.name, stage)
    return record.started_at.timestamp() if record is not None else 0.0


class _TrialProgress(ExitStack):
    """Shows each trial as a bar of its examples, and reports every epoch's value."""

    def __init__(self, report: ProgressReporter, config: StudyConfig) -> None:
        super().__init__()
        self.report, self.config = report, config

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        self.close()
        what = f"{self.config.name} · trial {number}"
        return self.enter_context(self.report.bar(what, epochs * examples, "examples"))

    def epoch(self, number: int, epoch: int, value: float) -> None:
        self.note(number, f"{self.config.metric} {value:.4f}", f", epoch {epoch}")

    def result(self, trial: optuna.Trial, files: FileStore, result: TrialResult) -> None:
        show_trial(trial, files, result)

    def note(self, number: int, text: str, when: str = "") -> None:
        self.report.message(f"{self.config.name} · trial {number}{when}: {text}")
