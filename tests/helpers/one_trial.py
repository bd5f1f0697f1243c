"""One trial on a tiny encoder, in a place that outlives kills: what the tests of the objective share."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from sqlalchemy import Engine

from storage.files.file_store import FileStore
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.dashboard.study_updates import show_trial
from studies.optuna_storage import open_optuna
from studies.space.dimensions import Dimension
from studies.top_k_models import TopKModels
from studies.trials.heartbeat import Heartbeat
from studies.trials.objective import run_trial
from studies.trials.trial_result import TrialEnd, TrialResult
from studies.trials.trial_task import EvaluationSet, Probabilities, TrialTask
from tests.helpers.tiny_encoders import LABELS, easy_examples
from transfer.encoders.model import load_tokenizer
from transfer.metrics.scores import score

SPACE: dict[str, Dimension] = {
    "learning_rate": 4e-3,
    "batch_size": 16,
    "epochs": 3,
    "dropout": 0.1,
    "max_length": 32,
    "warmup_share": 0.0,
}
LORA: dict[str, Dimension] = {"method": "lora", "lora_rank": 4, "learning_rate": 1e-2}


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


@dataclass
class RecordingWatcher:
    """A watcher that writes down."""

    trials: list[int] = field(default_factory=list)
    epochs: list[tuple[int, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        self.trials.append(epochs)
        return lambda examples: None

    def epoch(self, number: int, epoch: int, value: float) -> None:
        self.epochs.append((epoch, value))

    def result(self, trial: optuna.Trial, files: FileStore, result: TrialResult) -> None:
        show_trial(trial, files, result)

    def note(self, number: int, text: str) -> None:
        self.notes.append(text)


def a_task(bert: Path) -> TrialTask:
    """A task on a tiny encoder: three epochs on 48 easy texts, judged by log-loss on 40 others."""
    tokenizer = load_tokenizer(str(bert))
    train, unseen = easy_examples(tokenizer, 48), easy_examples(tokenizer, 40, seed=5)
    truth = unseen.targets.argmax(axis=1).astype(np.int64)

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], truth, LABELS).log_loss

    return TrialTask(
        start=str(bert),
        labels=LABELS,
        tokenizer=tokenizer,
        space=SPACE,
        seed=5,
        examples=lambda params, seed: train,
        exams={"validation": EvaluationSet(unseen.tokens, truth)},
        value=value,
        stage="search",
        plan="small",
        candidate="models/bert",
        lineage={"fingerprint": "f00", "parts": {"original.train (content)": "c0ffee"}},
    )


@dataclass
class Place:
    """A store, a kept_models and a scratch folder; the same after every kill."""

    root: Path
    url: str
    engine: Engine
    pruner: optuna.pruners.BasePruner = field(default_factory=optuna.pruners.NopPruner)

    def study(self) -> optuna.Study:
        storage = open_optuna(self.url)
        return optuna.create_study(
            study_name="study", storage=storage, direction="minimize", pruner=self.pruner, load_if_exists=True
        )

    @property
    def own(self) -> Path:
        return self.root / "scratch" / "study" / "trial-0000"

    def run(self, task: TrialTask, heard: RecordingWatcher | None = None) -> TrialEnd:
        """Trial 0, begun or gone on with, as a new process does it."""
        torch.seed()
        study = self.study()
        if not study.get_trials(deepcopy=False):
            study.ask()
        trial = optuna.Trial(study, study.get_trials(deepcopy=False)[0]._trial_id)
        kept_models = TopKModels(self.engine, self.files, "small", study, keep=3)
        return run_trial(
            trial,
            task,
            kept_models,
            self.root / "scratch" / "study",
            heard or RecordingWatcher(),
            Heartbeat(lambda moved, share: None),
        )

    @property
    def files(self) -> FileStore:
        return FileStore(self.root / "files", self.root / "cache")

    @property
    def attributes(self) -> dict[str, Any]:
        return self.study().get_trials(deepcopy=False)[0].user_attrs

    @property
    def record(self) -> ModelRecord:
        found = model_registry.get(self.engine, "small", "search/models-bert/trial-0")
        assert found is not None
        return found

    @property
    def kept(self) -> Path:
        return self.files.fetch(self.record.path)

    def outcome(self) -> dict[str, Any]:
        """All that must not depend on kills."""
        curve = [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in self.record.metrics["curve"]]
        return {
            "attributes": {k: v for k, v in self.attributes.items() if k != "seconds"},
            "reports": self.study().get_trials(deepcopy=False)[0].intermediate_values,
            "weights": hashlib.sha256((self.kept / "model.safetensors").read_bytes()).hexdigest(),
            "curve": curve,
            "value": self.record.value,
            "recipe": self.record.recipe,
        }


def variant(task: TrialTask, more: Mapping[str, Dimension] | None = None, **changes: Any) -> TrialTask:
    """The task with another space or other fields."""
    return replace(task, space={**SPACE, **(more or {})}, **changes)


def killing(path: str, when: str) -> Callable[..., Any]:
    """The function at a dotted path, replaced by one that stands for a kill "before" or "after" it."""
    from importlib import import_module

    module, _, name = path.rpartition(".")
    try:
        holder: Any = import_module(module)
    except ModuleNotFoundError:
        above, _, inner = module.rpartition(".")
        holder = getattr(import_module(above), inner)
    function = getattr(holder, name)

    def killed(*args: Any, **more: Any) -> Any:
        if when == "after":
            function(*args, **more)
        raise KilledError

    return killed
