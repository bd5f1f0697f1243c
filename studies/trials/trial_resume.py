"""A trial that is running: resumed from its checkpoint or begun, and saved so that a kill costs little."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from studies.sampling.enumerated_trials import SETTINGS
from studies.space.suggest import suggest
from studies.top_k_models import TopKModels
from studies.trials.best_weights import BestWeights
from studies.trials.heartbeat import Heartbeat
from studies.trials.learning_curve import LearningCurve, weights_folder
from studies.trials.trial_task import TrialTask, Watcher
from transfer.training.checkpoint import checkpoint_notes, save_checkpoint, save_notes
from transfer.training.finetune import FineTuning
from transfer.training.oom_recovery import OomRecovery
from transfer.training.recipe import Recipe


@dataclass
class RunningTrial:
    """A trial under way.

    folder: its own, with its checkpoint and the weights of its best epoch so far. reported: steps that the study has
    reports of. resumes: the seed that the checkpoint is of, None where there is none. best: the weights of its best
    epoch where they are not on disk. is_wanted: whether a trial of that value would keep its weights. saved_at: when
    its checkpoint was written, or the trial began, by the monotonic clock. saved_weights: those that it names.
    """

    trial: optuna.Trial
    task: TrialTask
    folder: Path
    params: Mapping[str, Any]
    recipe: Recipe
    curve: LearningCurve
    memory: OomRecovery
    watcher: Watcher
    reported: frozenset[int]
    heartbeat: Heartbeat
    resumes: int | None
    best: BestWeights
    is_wanted: Callable[[float], bool]
    saved_at: float
    saved_weights: Path | None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The trial's random seeds."""
        return seeds_of(self.task, self.trial.number, self.trial.user_attrs.get("seed"))

    def is_over(self, seed: int) -> bool:
        """Whether a seed has had all of its epochs, or as many without a better value as the task has patience for.

        seed: its place among the trial's seeds.
        """
        curve = self.curve
        return curve.evaluated(seed) == self.recipe.epochs or curve.is_stale(seed, self.task.patience)

    @property
    def is_unwanted(self) -> bool:
        """Whether the trial is at its end, and its weights would not be kept."""
        if self.curve.is_pruned:
            return True
        is_last = self.curve.seed + 1 == self.task.seeds and self.is_over(self.curve.seed)
        return is_last and not self.is_wanted(self.curve.value)


def begin_trial(
    trial: optuna.Trial, task: TrialTask, models: TopKModels, folder: Path, watcher: Watcher, heartbeat: Heartbeat
) -> RunningTrial:
    """The trial as its checkpoint has it; at its beginning where there is none, or not with its best weights."""
    params = suggest(trial, task.space) | trial.user_attrs.get(SETTINGS, {})
    curve = LearningCurve(maximize=trial.study.direction == optuna.study.StudyDirection.MAXIMIZE)
    memory = OomRecovery(task.token_budget, task.gradient_checkpointing, partial(watcher.note, trial.number))
    weights, resumes = None, None
    notes = checkpoint_notes(folder / "checkpoint")
    if notes is not None and {"epochs", "memory"} <= notes.keys():
        curve.resume(notes)
        memory.resume(notes["memory"])
        weights = weights_folder(folder, curve.best()) if curve.epochs else None
        if weights is None or weights.is_dir():
            resumes = curve.seed
        else:
            curve, weights = LearningCurve(curve.maximize), None
    run = RunningTrial(
        trial=trial,
        task=task,
        folder=folder,
        params=params,
        recipe=Recipe(**{field.name: params[field.name] for field in fields(Recipe) if field.name in params}),
        curve=curve,
        memory=memory,
        watcher=watcher,
        reported=frozenset(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values),
        heartbeat=heartbeat,
        resumes=resumes,
        best=BestWeights(folder, task.tokenizer),
        is_wanted=partial(models.wants, trial.number),
        saved_at=time.monotonic(),
        saved_weights=weights,
    )
    remove_old_weights(run)  # a kill may have left some
    return run


def save_trial(run: RunningTrial, tuning: FineTuning) -> None:
    """Replaces the trial's checkpoint, after the weights that it will name are on disk.

    After a seed's last epoch it says only how far the trial is: there is nothing more to train.
    """
    is_over = run.is_over(run.curve.seed) or run.curve.is_pruned
    if run.is_unwanted:
        run.best.write_answers()
    else:
        run.best.write(tuning.accelerator.unwrap_model(tuning.model), trains_on=not is_over)
    folder, notes = run.folder / "checkpoint", {**run.curve.notes(), "memory": run.memory.state()}
    if is_over:
        save_notes(folder, notes)
    else:
        save_checkpoint(folder, tuning, notes)
    run.saved_at = time.monotonic()
    run.saved_weights = weights_folder(run.folder, run.curve.best()) if run.curve.epochs else None


def remove_old_weights(run: RunningTrial) -> None:
    """Removes weights that are neither the best nor those that the checkpoint names."""
    best = weights_folder(run.folder, run.curve.best()) if run.curve.epochs else None
    for folder in run.folder.glob("best-*"):
        if folder not in (best, run.saved_weights):
            shutil.rmtree(folder, ignore_errors=True)


def remove_ended(study: optuna.Study, scratch: Path) -> None:
    """Removes the folders of trials whose end the study has: no kill loses one that it has not."""
    for trial in study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            shutil.rmtree(trial_folder(scratch, trial.number), ignore_errors=True)


def trial_folder(scratch: Path, number: int) -> Path:
    """A trial's own folder below its study's scratch folder."""
    return scratch / f"trial-{number:04d}"


def seeds_of(task: TrialTask, trial: int, own: int | None = None) -> tuple[int, ...]:
    """The random seeds of a trial. Several are the same for all trials, so that a pruner may compare seed by seed.

    own: an enumerated trial's, from which all of its seeds then come.
    """
    if own is not None:
        return (own, *(int(np.random.SeedSequence([own, i]).generate_state(1)[0]) for i in range(1, task.seeds)))
    parts = [[trial]] if task.seeds == 1 else [[0, index] for index in range(task.seeds)]
    return tuple(int(np.random.SeedSequence([task.seed, *part]).generate_state(1)[0]) for part in parts)
