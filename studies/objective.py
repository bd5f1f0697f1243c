"""One trial: fine-tune with the suggested parameters, judge every epoch, prune, and keep the best epoch's weights."""

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import optuna
from numpy.typing import NDArray

from storage.registry import ModelRecord
from studies.retention import Shelf
from studies.space import Space, suggest
from studies.worker import Ended
from transfer.checkpoint import restore_checkpoint, save_checkpoint
from transfer.encoding import Tokens
from transfer.engines.torch import probabilities_of
from transfer.evaluate import Scores, score
from transfer.finetune import Examples, FineTuning, Recipe
from transfer.model import load_classifier

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Exam:
    """Labelled texts that a model is judged on. truth: (N,) int64."""

    tokens: Tokens
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """What all trials of a study share.

    start: hub name or folder of the weights to begin with. examples: training data for a trial's parameters and seed
    (stage two mixes them anew for each). exams: by name; "validation" is always there. value: what is optimised, from
    the exams' probabilities. lineage: what made this study, kept beside every model.
    """

    start: str
    labels: Sequence[str]
    tokenizer: "PreTrainedTokenizerBase"
    space: Space
    seed: int
    examples: Callable[[Mapping[str, Any], int], Examples]
    exams: Mapping[str, Exam]
    value: Callable[[Mapping[str, Probabilities]], float]
    stage: str
    plan: str
    candidate: str
    lineage: Mapping[str, Any]


class Watcher(Protocol):
    """Hears how a trial goes on; the command line draws it."""

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        """A trial begins, with so many examples an epoch; what is returned hears of examples done."""

    def epoch(self, number: int, epoch: int, value: float) -> None:
        """An epoch of a trial was judged."""


def run_trial(trial: optuna.Trial, task: Task, shelf: Shelf, scratch: Path, watcher: Watcher) -> Ended:
    """Does one trial from wherever it was left, and puts its weights on the shelf if they belong there.

    scratch: a folder of this study's own; the trial's checkpoint lies there while it runs.
    The trial's value is its best epoch's; that epoch's weights are the ones kept.
    """
    params = suggest(trial, task.space)
    own = scratch / f"trial-{trial.number:04d}"
    seed = trial.user_attrs.get("seed")  # a queued trial's own
    if seed is None:
        seed = int(np.random.SeedSequence([task.seed, trial.number]).generate_state(1)[0])
    began = time.monotonic()
    tuning, state = _begin(task, params, seed, own)
    on_step = watcher.trial(trial.number, tuning.recipe.epochs - tuning.epoch, len(tuning.examples))
    reported = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    while not tuning.is_done and not state["is_pruned"]:
        loss = tuning.run_epoch(on_step)
        probabilities = _sit(tuning, task.exams)
        value = task.value(probabilities)
        if state["best"] is None or _is_better(trial.study, value, state["best"]):
            state |= {"best": value, "best_epoch": tuning.epoch}
            _save_best(own / "best", tuning, task, probabilities)
        if tuning.epoch not in reported:
            trial.report(value, tuning.epoch)
        watcher.epoch(trial.number, tuning.epoch, value)
        state |= {"losses": [*state["losses"], loss], "is_pruned": bool(not tuning.is_done and trial.should_prune())}
        state["seconds"] += time.monotonic() - began
        began = time.monotonic()
        save_checkpoint(own / "checkpoint", tuning, state)
    _finish(trial, task, shelf, own, tuning, state, seed)
    return Ended(state["best"], state["is_pruned"])


def model_name(stage: str, candidate: str, trial: int) -> str:
    """The name under which a trial's weights are kept and loaded: "basic/klue-bert-base/trial-7"."""
    return f"{stage}/{re.sub(r'[^0-9A-Za-z가-힣_.]+', '-', candidate).strip('-.')}/trial-{trial}"


def sweep_scratch(study: optuna.Study, scratch: Path) -> None:
    """Removes the checkpoints of trials that have ended; only after they were told, so that no kill loses them."""
    for trial in study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            shutil.rmtree(scratch / f"trial-{trial.number:04d}", ignore_errors=True)


def _begin(task: Task, params: Mapping[str, Any], seed: int, own: Path) -> tuple[FineTuning, dict[str, Any]]:
    recipe = Recipe(**{field.name: params[field.name] for field in fields(Recipe) if field.name in params})
    model = load_classifier(task.start, task.labels, seed=seed, dropout=recipe.dropout)
    tuning = FineTuning(model, task.examples(params, seed), recipe, seed)
    fresh: dict[str, Any] = {"best": None, "best_epoch": 0, "losses": [], "is_pruned": False, "seconds": 0.0}
    return tuning, restore_checkpoint(own / "checkpoint", tuning) or fresh


def _sit(tuning: FineTuning, exams: Mapping[str, Exam]) -> dict[str, Probabilities]:
    model = _unwrapped(tuning)
    most = tuning.recipe.max_length
    return {name: probabilities_of(model, exam.tokens.cut(most)) for name, exam in exams.items()}


def _is_better(study: optuna.Study, value: float, best: float) -> bool:
    return value > best if study.direction == optuna.study.StudyDirection.MAXIMIZE else value < best


def _save_best(folder: Path, tuning: FineTuning, task: Task, probabilities: Mapping[str, Probabilities]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _unwrapped(tuning).save_pretrained(folder)
    task.tokenizer.save_pretrained(folder)
    (folder / "probabilities").mkdir()
    for name, values in probabilities.items():
        np.save(folder / "probabilities" / f"{name}.npy", values, allow_pickle=False)


def _finish(
    trial: optuna.Trial,
    task: Task,
    shelf: Shelf,
    own: Path,
    tuning: FineTuning,
    state: Mapping[str, Any],
    seed: int,
) -> None:
    """Notes the trial's figures, and keeps its weights where they are among the best."""
    exam = task.exams["validation"]
    probabilities = np.load(own / "best" / "probabilities" / "validation.npy", allow_pickle=False)
    scores = score(probabilities, exam.truth, task.labels)
    _note(trial, scores, state)
    if not state["is_pruned"] and shelf.wants(trial.number, state["best"]):
        record = ModelRecord(
            name=model_name(task.stage, task.candidate, trial.number),
            plan=task.plan,
            stage=task.stage,
            study=trial.study.study_name,
            trial=trial.number,
            candidate=task.candidate,
            path=f"models/{own.parent.name}/{own.name}",
            bytes=0,
            value=state["best"],
            metrics=scores.as_dict() | {"best_epoch": state["best_epoch"], "losses": state["losses"]},
            recipe=asdict(tuning.recipe) | dict(trial.params),
            lineage={**task.lineage, "seed": seed, "versions": _versions()},
            created_at=datetime.now(UTC),
        )
        beside = json.dumps(asdict(record), ensure_ascii=False, indent=2, default=str)
        (own / "best" / "moodline.json").write_text(beside, encoding="utf-8")
        shelf.add(own / "best", record)


def _note(trial: optuna.Trial, scores: Scores, state: Mapping[str, Any]) -> None:
    """Attributes that optuna-dashboard shows as sortable columns."""
    figures: dict[str, Any] = {
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "weighted_f1": scores.weighted_f1,
        "log_loss": scores.log_loss,
        "best_epoch": state["best_epoch"],
        "seconds": round(state["seconds"], 2),
        "train_loss": state["losses"][-1],
    }
    figures |= {f"f1 {label}": figure["f1"] for label, figure in scores.per_class.items()}
    for name, value in figures.items():
        trial.set_user_attr(name, value)
    trial.set_user_attr("confusion", json.dumps(scores.confusion))


def _unwrapped(tuning: FineTuning) -> "PreTrainedModel":
    model: PreTrainedModel = tuning.accelerator.unwrap_model(tuning.model)
    return model


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "transformers", "optuna", "accelerate", "tokenizers")}
