"""One trial: fine-tune with the suggested parameters, judge every epoch, prune, and keep the best epoch's weights."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import torch

from studies.best_weights import BestWeights, has_weights
from studies.dashboard.study_updates import show_trial
from studies.deferred_signals import held_interrupts
from studies.enumerated_trials import SETTINGS
from studies.heartbeat import Heartbeat
from studies.learning_curve import Epoch, LearningCurve, weights_folder
from studies.model_record import answers_name, model_record
from studies.pruners import should_prune
from studies.space.suggest import suggest
from studies.top_k_models import TopKModels
from studies.trial_result import TrialResult, collapsed_to
from studies.trial_task import Probabilities, TrialTask, Watcher
from studies.worker_loop import WorkerEnd
from transfer.device.device import device_name, precision_for
from transfer.encoders.lora import plain
from transfer.encoders.model import load_classifier, load_config
from transfer.engines.torch_engine import probabilities_of
from transfer.metrics.scores import figure, score
from transfer.training.checkpoint import checkpoint_notes, restore_checkpoint, save_checkpoint, save_notes
from transfer.training.finetune import DivergedError, FineTuning, Recipe
from transfer.training.oom_recovery import ADVICE, NoRoomError, OomRecovery

if TYPE_CHECKING:
    from transformers import PreTrainedModel


# What a kill may cost. A small encoder's epoch is shorter than this and its checkpoint would take a share of it that
# is felt (benchmarks/trial_overhead.py); a large one's takes seconds, so that within an epoch it is written seldom.
EPOCH_SECONDS = 20.0
CHECKPOINT_SECONDS = 300.0


class OverTimeError(RuntimeError):
    """A trial has used up its time."""


class _DamagedError(RuntimeError):
    """A checkpoint that says how far it is, but not with which weights."""


@dataclass
class _Saved:
    """When the trial's checkpoint was written, by the monotonic clock, and which weights it names."""

    at: float
    weights: Path | None


@dataclass(frozen=True)
class _Run:
    """A trial under way.

    own: its folder, with its checkpoint and the weights of its best epoch so far. resumes: the seed that the checkpoint
    is of, None where there is none. saved: the checkpoint, or the trial's beginning where there is none yet. best: the
    weights of its best epoch where they are not on disk. wants: whether a value is worth keeping its weights.
    """

    trial: optuna.Trial
    task: TrialTask
    own: Path
    params: Mapping[str, Any]
    recipe: Recipe
    course: LearningCurve
    memory: OomRecovery
    watcher: Watcher
    reported: frozenset[int]
    lease: Heartbeat
    resumes: int | None
    saved: _Saved
    best: BestWeights
    wants: Callable[[float], bool]


def run_trial(
    trial: optuna.Trial, task: TrialTask, shelf: TopKModels, scratch: Path, watcher: Watcher, lease: Heartbeat
) -> WorkerEnd:
    """Does one trial from wherever it was left, and puts its weights on the shelf if they belong there.

    scratch: a folder of this study's own; the trial's checkpoint lies there while it runs.
    The trial's value is its best epoch's, the mean of these over its seeds; the best epoch's weights of all are kept.
    Raises DivergedError, NoRoomError or OverTimeError where it comes to nothing, and LostClaim, writing nothing more,
    where the trial is another worker's by now.
    """
    run = _begin(trial, task, shelf, scratch / f"trial-{trial.number:04d}", watcher, lease)
    try:
        for index in range(run.course.seed, task.seeds):
            _fine_tune(run, index)
            if run.course.is_pruned:
                break
    except torch.OutOfMemoryError as error:  # outside of what Memory can mend
        raise NoRoomError(f"out of memory for the model and its optimiser alone; {ADVICE}") from error
    except OverTimeError as error:
        if not run.course.epochs:
            raise
        lease.check()  # it may have stood still for so long that another worker took the trial, and these folders, over
        run.course.is_pruned, run.course.reason = True, str(error)
        run.best.write_answers()
    except _DamagedError:
        watcher.note(trial.number, "its checkpoint is damaged, it begins again")
        lease.check()
        shutil.rmtree(run.own)
        return run_trial(trial, task, shelf, scratch, watcher, lease)
    outcome = _outcome(run)
    if not outcome.is_pruned and run.wants(outcome.value) and not has_weights(outcome.folder):
        # more are kept than when it ended and was killed
        watcher.note(trial.number, "its weights are wanted by now, it begins again")
        lease.check()
        shutil.rmtree(run.own)
        return run_trial(trial, task, shelf, scratch, watcher, lease)
    _finish(trial, task, shelf, outcome, lease)
    return WorkerEnd(outcome.value, outcome.is_pruned)


def sweep_scratch(study: optuna.Study, scratch: Path) -> None:
    """Removes the checkpoints of trials that have ended; only after they were told, so that no kill loses them."""
    for trial in study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            shutil.rmtree(scratch / f"trial-{trial.number:04d}", ignore_errors=True)


def seeds_of(task: TrialTask, trial: int, own: int | None = None) -> tuple[int, ...]:
    """The random seeds of a trial. Several are the same for all trials, so that a pruner may compare seed by seed.

    own: a listed trial's, from which all of its seeds then come.
    """
    if own is not None:
        return (own, *(int(np.random.SeedSequence([own, i]).generate_state(1)[0]) for i in range(1, task.seeds)))
    parts = [[trial]] if task.seeds == 1 else [[0, index] for index in range(task.seeds)]
    return tuple(int(np.random.SeedSequence([task.seed, *part]).generate_state(1)[0]) for part in parts)


def _seeds(run: _Run) -> tuple[int, ...]:
    return seeds_of(run.task, run.trial.number, run.trial.user_attrs.get("seed"))


def _begin(
    trial: optuna.Trial, task: TrialTask, shelf: TopKModels, own: Path, watcher: Watcher, lease: Heartbeat
) -> _Run:
    """The trial as its checkpoint has it, or at its beginning where there is none, or not with its best weights."""
    params = suggest(trial, task.space) | trial.user_attrs.get(SETTINGS, {})
    recipe = Recipe(**{field.name: params[field.name] for field in fields(Recipe) if field.name in params})
    course = LearningCurve(maximize=trial.study.direction == optuna.study.StudyDirection.MAXIMIZE)
    resumes: int | None = None
    saved = _Saved(time.monotonic(), None)
    memory = OomRecovery(task.token_budget, task.gradient_checkpointing, partial(watcher.note, trial.number))
    notes = checkpoint_notes(own / "checkpoint")
    if notes is not None and {"epochs", "memory"} <= notes.keys():
        course.resume(notes)
        memory.resume(notes["memory"])
        resumes = course.seed
        saved.weights = weights_folder(own, course.best()) if course.epochs else None
        if saved.weights is not None and not saved.weights.is_dir():
            course, resumes, saved.weights = LearningCurve(course.maximize), None, None
    reported = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    return _Run(
        trial=trial,
        task=task,
        own=own,
        params=params,
        recipe=recipe,
        course=course,
        memory=memory,
        watcher=watcher,
        reported=frozenset(reported),
        lease=lease,
        resumes=resumes,
        saved=saved,
        best=BestWeights(own, task.tokenizer),
        wants=partial(shelf.wants, trial.number),
    )


def _fine_tune(run: _Run, index: int) -> None:
    """One seed's fine-tune, from where it was left to its end, or until it is pruned."""
    task, recipe = run.task, run.recipe
    if run.course.is_pruned or _is_over(run, index):
        return  # killed behind its last epoch
    began = time.monotonic()
    seed = _seeds(run)[index]
    model = load_classifier(task.start_of(run.params), task.labels, seed=seed, dropout=recipe.dropout)
    tuning = FineTuning(model, task.examples(run.params, seed), recipe, seed, run.memory)
    del model
    run.course.seed = index
    if run.resumes == index and restore_checkpoint(run.own / "checkpoint", tuning) is None:
        raise _DamagedError
    if task.seeds > 1:
        run.watcher.note(run.trial.number, f"seed {index + 1} of {task.seeds}")
    on_step = run.watcher.trial(run.trial.number, recipe.epochs - tuning.epoch, tuning.examples.per_epoch)
    while not _is_over(run, index) and not run.course.is_pruned:
        began = _run_epoch(run, tuning, index, on_step, began)


def _is_over(run: _Run, index: int) -> bool:
    """Whether a seed's fine-tune has had all of its epochs, or so many that another is not worth while."""
    return run.course.judged(index) == run.recipe.epochs or run.course.is_stale(index, run.task.patience)


def _run_epoch(run: _Run, tuning: FineTuning, index: int, on_step: Callable[[int], None], began: float) -> float:
    """One epoch: trained, judged, its weights kept if they are the best so far, and all of it in the checkpoint.

    began: when its time began, by the monotonic clock. Returns when it was judged.
    """
    before = run.course.spent
    loss = _train(run, tuning, _watched(run, tuning, on_step), began)
    model = plain(tuning.accelerator.unwrap_model(tuning.model))
    probabilities = _sit(run, model)
    now = time.monotonic()
    rate = float(tuning.optimizer.param_groups[-1]["lr"])
    value, held_out = run.task.value(probabilities), _validation_loss(run, probabilities)
    epoch = Epoch(index, tuning.epoch, loss, value, rate, before + now - began, held_out)
    run.course.epochs.append(epoch)
    run.course.spent = 0.0
    run.lease.check()
    if run.course.best() is epoch:
        run.best.take(epoch, probabilities)
    run.watcher.epoch(run.trial.number, epoch.number, epoch.value)
    run.course.is_pruned = _lags(run, epoch)
    if _is_over(run, index) or run.course.is_pruned or now - run.saved.at >= EPOCH_SECONDS:
        _save(run, tuning)
    else:
        run.best.hold(tuning.accelerator.unwrap_model(tuning.model))
    _sweep_weights(run)
    return now


def _train(run: _Run, tuning: FineTuning, on_step: Callable[[int], None], began: float) -> float:
    """The rest of an epoch. Saves every few minutes, and before an interrupt is let through, between two steps."""
    before, limit = run.course.spent, run.task.time_limit

    def step(examples: int) -> None:
        on_step(examples)
        now = time.monotonic()
        run.course.spent = before + now - began
        if limit is not None and run.course.seconds > limit:
            raise OverTimeError(f"over its time limit of {limit / 60:g} minutes in epoch {len(run.course.epochs) + 1}")
        is_due = now - run.saved.at > CHECKPOINT_SECONDS
        if is_due and not held.came:
            run.lease.check()
        if is_due or held.came:
            _save(run, tuning)
        if held.came:
            raise KeyboardInterrupt

    with held_interrupts() as held:
        return tuning.run_epoch(step)


def _watched(run: _Run, tuning: FineTuning, on_step: Callable[[int], None]) -> Callable[[int], None]:
    """Like `on_step`; also shows other workers how far the trial is."""
    epochs = run.task.seeds * run.recipe.epochs
    share = 1 / max(epochs * tuning.examples.per_epoch, 1)
    done = len(run.course.epochs) / epochs + tuning.step * run.recipe.batch_size * share

    def step(examples: int) -> None:
        nonlocal done
        done += examples * share
        on_step(examples)
        run.lease.moved(done)

    return step


def _sit(run: _Run, model: "PreTrainedModel") -> dict[str, Probabilities]:
    """The exams' probabilities. Raises DivergedError where one is no number: weights may be finite and too large."""
    most = run.recipe.max_length
    found = {
        name: probabilities_of(model, exam.tokens.cut(most), memory=run.memory) for name, exam in run.task.exams.items()
    }
    for name, probabilities in found.items():
        if not np.isfinite(probabilities).all():
            raise DivergedError(f"the model's probabilities on {name} are no numbers")
    return found


def _validation_loss(run: _Run, probabilities: Mapping[str, Probabilities]) -> float | None:
    exam = run.task.exams.get("validation")
    return None if exam is None else figure("log_loss", probabilities["validation"], exam.truth)


def _lags(run: _Run, epoch: Epoch) -> bool:
    """Tells the study how the trial does, and hears from its pruner whether to stop it.

    With one seed it is told of every epoch; with several of every seed's best: a pruner that compares epochs would
    take a later seed's first for a step back.
    """
    is_done = _is_over(run, epoch.seed)
    if run.task.seeds > 1 and not is_done:
        return False
    step, told = (epoch.number, epoch) if run.task.seeds == 1 else (epoch.seed + 1, run.course.best(epoch.seed))
    if step not in run.reported:
        run.trial.report(told.value, step)
    is_last = is_done and epoch.seed + 1 == run.task.seeds
    return not is_last and bool(should_prune(run.trial, step))


def _save(run: _Run, tuning: FineTuning) -> None:
    """The trial as it is, in the place of its last checkpoint, and before that the weights that it will name. Behind a
    seed's last epoch only how far it is: there is nothing more to train, and the next seed begins anew."""
    is_over = _is_over(run, run.course.seed) or run.course.is_pruned
    if _is_unwanted(run):
        run.best.write_answers()
    else:
        run.best.write(tuning.accelerator.unwrap_model(tuning.model), trains_on=not is_over)
    folder, notes = run.own / "checkpoint", {**run.course.notes(), "memory": run.memory.state()}
    if is_over:
        save_notes(folder, notes)
    else:
        save_checkpoint(folder, tuning, notes)
    run.saved.at = time.monotonic()
    run.saved.weights = weights_folder(run.own, run.course.best()) if run.course.epochs else None


def _is_unwanted(run: _Run) -> bool:
    """Whether the trial is at its end, and its weights would not be kept."""
    if run.course.is_pruned:
        return True
    is_last = run.course.seed + 1 == run.task.seeds and _is_over(run, run.course.seed)
    return is_last and not run.wants(run.course.value)


def _sweep_weights(run: _Run) -> None:
    """Removes the weights that are the best no more and that the checkpoint does not name."""
    kept = {weights_folder(run.own, run.course.best()), run.saved.weights}
    for folder in run.own.glob("best-*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _outcome(run: _Run) -> TrialResult:
    course, task = run.course, run.task
    kept, exam = course.best(), task.exams["validation"]
    folder = weights_folder(run.own, kept)
    probabilities = np.load(folder / "probabilities" / "validation.npy", allow_pickle=False)
    collapsed = collapsed_to(probabilities, exam.truth, task.labels)
    reason = course.reason
    if collapsed is not None and not course.is_pruned:
        reason = f"collapsed: every validation text is given '{collapsed}'"
    return TrialResult(
        value=course.value,
        spread=course.spread,
        is_pruned=course.is_pruned,
        reason=reason,
        collapsed=collapsed,
        curve=tuple(course.epochs),
        kept=kept,
        scores=score(probabilities, exam.truth, task.labels),
        folder=folder,
        seeds=_seeds(run),
        settings={**asdict(run.recipe), **run.params},
        token_budget=run.memory.tokens,
        recomputes=run.memory.recomputes,
        was_short=run.memory.was_short,
        precision=precision_for(load_config(task.start_of(run.params)), device_name()),
    )


def _finish(trial: optuna.Trial, task: TrialTask, shelf: TopKModels, outcome: TrialResult, lease: Heartbeat) -> None:
    """Notes the trial's figures, and keeps its weights where they are among the best."""
    curve = [epoch for epoch in outcome.curve if epoch.seed == outcome.kept.seed]
    lease.check()
    if task.keeps_answers:
        shelf.files.publish(outcome.folder / "probabilities", answers_name(trial.study.study_name, trial.number))
    show_trial(trial, shelf.files, outcome.scores, curve, outcome.kept.number, outcome.attributes())
    if not outcome.is_pruned and shelf.wants(trial.number, outcome.value):
        record = model_record(trial, task, outcome)
        beside = {name: value for name, value in asdict(record).items() if name != "bytes"}  # known once published
        text = json.dumps(beside, ensure_ascii=False, indent=2, default=str)
        (outcome.folder / "moodline.json").unlink(missing_ok=True)  # after a kill it may be the published one, too
        (outcome.folder / "moodline.json").write_text(text, encoding="utf-8")
        lease.check()
        shelf.add(outcome.folder, record)
