"""One trial: fine-tune with suggested parameters, evaluate every epoch, prune, and keep the best epoch's weights."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import optuna
import torch

from studies.sampling.pruners import should_prune
from studies.top_k_models import TopKModels
from studies.trials.best_weights import has_weights
from studies.trials.deferred_signals import deferred_signals
from studies.trials.heartbeat import Heartbeat
from studies.trials.learning_curve import Epoch, weights_folder
from studies.trials.model_record import answers_name, model_record
from studies.trials.trial_result import TrialEnd, TrialResult, collapsed_to
from studies.trials.trial_resume import RunningTrial, begin_trial, remove_old_weights, save_trial, trial_folder
from studies.trials.trial_task import Probabilities, TrialTask, Watcher
from transfer.device.device import device_name, precision_for
from transfer.encoders.lora import merge_adapters
from transfer.encoders.model import load_classifier, load_config
from transfer.engines.torch_engine import probabilities_of
from transfer.metrics.scores import metric_value, score
from transfer.training.checkpoint import restore_checkpoint
from transfer.training.finetune import DivergedError, FineTuning
from transfer.training.oom_recovery import ADVICE, NoRoomError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


# What a kill may cost. A small encoder's epoch is shorter than this and its checkpoint would take a share of it that
# is felt (benchmarks/trial_overhead.py); a large one's takes seconds, so that within an epoch it is written seldom.
EPOCH_SECONDS = 20.0
CHECKPOINT_SECONDS = 300.0


class OverTimeError(RuntimeError):
    """A trial has used up its time."""


class _RestartError(RuntimeError):
    """The trial begins again, for the reason given: what it left behind is of no use."""


def run_trial(
    trial: optuna.Trial, task: TrialTask, models: TopKModels, scratch: Path, watcher: Watcher, heartbeat: Heartbeat
) -> TrialEnd:
    """Runs one trial from wherever it was left, and adds its weights to `models` if they are among the best.

    scratch: a folder of this study's own; the trial's checkpoint lies there while it runs.
    The trial's value is its best epoch's, the mean of these over its seeds; the best epoch's weights of all are kept.
    Raises DivergedError, NoRoomError or OverTimeError where it has no result, and LostClaim, writing nothing more,
    where the trial is another worker's by now.
    """
    folder = trial_folder(scratch, trial.number)
    while True:
        try:
            result = _train(begin_trial(trial, task, models, folder, watcher, heartbeat))
        except _RestartError as reason:
            watcher.note(trial.number, f"{reason}, it begins again")
            heartbeat.check()
            shutil.rmtree(folder)
        else:
            _finish(trial, task, models, result, watcher, heartbeat)
            return TrialEnd(result.value, result.is_pruned)


def _train(run: RunningTrial) -> TrialResult:
    """All seeds, from where they were left."""
    try:
        for index in range(run.curve.seed, run.task.seeds):
            _fine_tune(run, index)
            if run.curve.is_pruned:
                break
    except torch.OutOfMemoryError as error:  # outside of what OomRecovery can handle
        raise NoRoomError(f"out of memory for the model and its optimiser alone; {ADVICE}") from error
    except OverTimeError as error:
        if not run.curve.epochs:
            raise
        run.heartbeat.check()  # it may have stood still so long that another worker has the trial and this folder
        run.curve.is_pruned, run.curve.reason = True, str(error)
        run.best.write_answers()
    result = _result(run)
    if not result.is_pruned and run.is_wanted(result.value) and not has_weights(result.folder):
        # more are kept than when it ended and was killed
        raise _RestartError("its weights are wanted by now")
    return result


def _fine_tune(run: RunningTrial, index: int) -> None:
    """One seed's fine-tune, from where it was left to its end, or until it is pruned."""
    task, recipe = run.task, run.recipe
    if run.curve.is_pruned or run.is_over(index):
        return  # killed after its last epoch
    began = time.monotonic()
    seed = run.seeds[index]
    model = load_classifier(task.start_of(run.params), task.labels, seed=seed, dropout=recipe.dropout)
    tuning = FineTuning(model, task.examples(run.params, seed), recipe, seed, run.memory)
    del model
    run.curve.seed = index
    if run.resumes == index and restore_checkpoint(run.folder / "checkpoint", tuning) is None:
        raise _RestartError("its checkpoint is damaged")
    if task.seeds > 1:
        run.watcher.note(run.trial.number, f"seed {index + 1} of {task.seeds}")
    on_step = run.watcher.trial(run.trial.number, recipe.epochs - tuning.epoch, tuning.examples.per_epoch)
    while not run.is_over(index) and not run.curve.is_pruned:
        began = _run_epoch(run, tuning, index, on_step, began)


def _run_epoch(
    run: RunningTrial, tuning: FineTuning, index: int, on_step: Callable[[int], None], began: float
) -> float:
    """One epoch: trained, evaluated, its weights kept if they are the best so far, and all of it in the checkpoint.

    began: when its time began, by the monotonic clock. Returns when it was evaluated.
    """
    before = run.curve.spent
    loss = _train_epoch(run, tuning, on_step, began)
    probabilities = _evaluate(run, merge_adapters(tuning.accelerator.unwrap_model(tuning.model)))
    now = time.monotonic()
    rate = float(tuning.optimizer.param_groups[-1]["lr"])
    held_out = metric_value("log_loss", probabilities["validation"], run.task.exams["validation"].truth)
    epoch = Epoch(index, tuning.epoch, loss, run.task.value(probabilities), rate, before + now - began, held_out)
    run.curve.epochs.append(epoch)
    run.curve.spent = 0.0
    run.heartbeat.check()
    if run.curve.best() is epoch:
        run.best.take(epoch, probabilities)
    run.watcher.epoch(run.trial.number, epoch.number, epoch.value)
    run.curve.is_pruned = _report(run, epoch)
    if run.is_over(index) or run.curve.is_pruned or now - run.saved_at >= EPOCH_SECONDS:
        save_trial(run, tuning)
    else:
        run.best.hold(tuning.accelerator.unwrap_model(tuning.model))
    remove_old_weights(run)
    return now


def _train_epoch(run: RunningTrial, tuning: FineTuning, on_step: Callable[[int], None], began: float) -> float:
    """The rest of an epoch. Saves every few minutes, and before an interrupt is let through, between two steps.

    Each step also shows other workers how far the trial is.
    """
    before, limit = run.curve.spent, run.task.time_limit
    epochs = run.task.seeds * run.recipe.epochs
    share = 1 / max(epochs * tuning.examples.per_epoch, 1)
    done = len(run.curve.epochs) / epochs + tuning.step * run.recipe.batch_size * share

    def step(examples: int) -> None:
        nonlocal done
        done += examples * share
        on_step(examples)
        run.heartbeat.moved(done)
        now = time.monotonic()
        run.curve.spent = before + now - began
        if limit is not None and run.curve.seconds > limit:
            raise OverTimeError(f"over its time limit of {limit / 60:g} minutes in epoch {len(run.curve.epochs) + 1}")
        is_due = now - run.saved_at > CHECKPOINT_SECONDS
        if is_due and not deferred.came:
            run.heartbeat.check()
        if is_due or deferred.came:
            save_trial(run, tuning)
        if deferred.came:
            raise KeyboardInterrupt

    with deferred_signals() as deferred:
        return tuning.run_epoch(step)


def _evaluate(run: RunningTrial, model: "PreTrainedModel") -> dict[str, Probabilities]:
    """Probabilities on the evaluation sets. Raises DivergedError where one is NaN: finite weights may be too large."""
    most = run.recipe.max_length
    found = {
        name: probabilities_of(model, exam.tokens.cut(most), memory=run.memory) for name, exam in run.task.exams.items()
    }
    for name, probabilities in found.items():
        if not np.isfinite(probabilities).all():
            raise DivergedError(f"the model's probabilities on {name} are no numbers")
    return found


def _report(run: RunningTrial, epoch: Epoch) -> bool:
    """Reports the trial's value to the study. Returns whether its pruner stops the trial.

    With one seed every epoch is reported, with several each seed's best epoch: a pruner that compares epochs would
    take a later seed's first for a step back.
    """
    is_done = run.is_over(epoch.seed)
    if run.task.seeds > 1 and not is_done:
        return False
    step, best = (epoch.number, epoch) if run.task.seeds == 1 else (epoch.seed + 1, run.curve.best(epoch.seed))
    if step not in run.reported:
        run.trial.report(best.value, step)
    is_last = is_done and epoch.seed + 1 == run.task.seeds
    return not is_last and should_prune(run.trial, step)


def _result(run: RunningTrial) -> TrialResult:
    curve, task = run.curve, run.task
    kept, exam = curve.best(), task.exams["validation"]
    folder = weights_folder(run.folder, kept)
    probabilities = np.load(folder / "probabilities" / "validation.npy", allow_pickle=False)
    collapsed = collapsed_to(probabilities, exam.truth, task.labels)
    reason = curve.reason
    if collapsed is not None and not curve.is_pruned:
        reason = f"collapsed: every validation text is given '{collapsed}'"
    return TrialResult(
        value=curve.value,
        spread=curve.spread,
        is_pruned=curve.is_pruned,
        reason=reason,
        collapsed=collapsed,
        curve=tuple(curve.epochs),
        kept=kept,
        scores=score(probabilities, exam.truth, task.labels),
        folder=folder,
        seeds=run.seeds,
        settings={**asdict(run.recipe), **run.params},
        token_budget=run.memory.tokens,
        recomputes=run.memory.recomputes,
        was_short=run.memory.was_short,
        precision=precision_for(load_config(task.start_of(run.params)), device_name()),
    )


def _finish(
    trial: optuna.Trial,
    task: TrialTask,
    models: TopKModels,
    result: TrialResult,
    watcher: Watcher,
    heartbeat: Heartbeat,
) -> None:
    """Notes the trial's figures, and keeps its weights where they are among the best."""
    heartbeat.check()
    if task.keeps_answers:
        models.files.publish(result.folder / "probabilities", answers_name(trial.study.study_name, trial.number))
    watcher.result(trial, models.files, result)
    if not result.is_pruned and models.wants(trial.number, result.value):
        record = model_record(trial, task, result)
        content = {name: value for name, value in asdict(record).items() if name != "bytes"}  # known once published
        text = json.dumps(content, ensure_ascii=False, indent=2, default=str)
        (result.folder / "moodline.json").unlink(missing_ok=True)  # after a kill it may be the published one, too
        (result.folder / "moodline.json").write_text(text, encoding="utf-8")
        heartbeat.check()
        models.add(result.folder, record)
