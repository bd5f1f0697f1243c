"""One trial on a tiny encoder: what it keeps, says and costs, and that a kill at any point changes none of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from sqlalchemy import Engine

from storage import registry
from storage.artifacts import Files
from storage.registry import ModelRecord
from studies import objective
from studies.lease import Lease
from studies.objective import OverTimeError, run_trial, seeds_of, sweep_scratch
from studies.retention import Shelf
from studies.space import Dimension
from studies.store import open_optuna
from studies.task import Exam, Probabilities, Task
from studies.worker import Ended
from tests.tiny import LABELS, easy_examples, save_encoder
from transfer import checkpoint
from transfer.engines.torch import TorchEngine, probabilities_of
from transfer.evaluate import score
from transfer.finetune import DivergedError, Examples
from transfer.memory import NoRoomError
from transfer.model import load_classifier, load_tokenizer

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
class Heard:
    """A watcher that writes down."""

    trials: list[int] = field(default_factory=list)
    epochs: list[tuple[int, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        self.trials.append(epochs)
        return lambda examples: None

    def epoch(self, number: int, epoch: int, value: float) -> None:
        self.epochs.append((epoch, value))

    def note(self, number: int, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder("bert", tmp_path_factory.mktemp("bert"), with_lm_head=True)


@pytest.fixture(scope="session")
def task(bert: Path) -> Task:
    tokenizer = load_tokenizer(str(bert))
    train, unseen = easy_examples(tokenizer, 48), easy_examples(tokenizer, 40, seed=5)
    truth = unseen.targets.argmax(axis=1).astype(np.int64)

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return score(probabilities["validation"], truth, LABELS).log_loss

    return Task(
        start=str(bert),
        labels=LABELS,
        tokenizer=tokenizer,
        space=SPACE,
        seed=5,
        examples=lambda params, seed: train,
        exams={"validation": Exam(unseen.tokens, truth)},
        value=value,
        stage="basic",
        plan="small",
        candidate="models/bert",
        lineage={"fingerprint": "f00", "parts": {"original.train (content)": "c0ffee"}},
    )


@dataclass
class Place:
    """A store, a shelf and a scratch folder; the same after every kill."""

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

    def run(self, task: Task, heard: Heard | None = None) -> Ended:
        """Trial 0, begun or gone on with, as a new process does it."""
        torch.seed()
        study = self.study()
        if not study.get_trials(deepcopy=False):
            study.ask()
        trial = optuna.Trial(study, study.get_trials(deepcopy=False)[0]._trial_id)
        shelf = Shelf(self.engine, self.files, "small", study, keep=3)
        return run_trial(
            trial, task, shelf, self.root / "scratch" / "study", heard or Heard(), Lease(lambda moved, share: None)
        )

    @property
    def files(self) -> Files:
        return Files(self.root / "files", self.root / "cache")

    @property
    def attributes(self) -> dict[str, Any]:
        return self.study().get_trials(deepcopy=False)[0].user_attrs

    @property
    def record(self) -> ModelRecord:
        found = registry.get(self.engine, "small", "basic/models-bert/trial-0")
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


@pytest.fixture
def place(tmp_path: Path, url: str, engine: Engine) -> Place:
    return Place(tmp_path, url, engine)


@pytest.fixture
def another(tmp_path: Path) -> Place:
    from storage.engine import open_store

    root = tmp_path / "another"
    root.mkdir()
    url = f"sqlite:///{root / 'store.db'}"
    return Place(root, url, open_store(url))


def variant(task: Task, more: Mapping[str, Dimension] | None = None, **changes: Any) -> Task:
    return replace(task, space={**SPACE, **(more or {})}, **changes)


def test_a_trials_value_is_its_best_epochs_and_so_are_its_weights(task: Task, place: Place) -> None:
    heard = Heard()
    penalties = iter([5.0, 0.0, 5.0])
    ended = place.run(replace(task, value=lambda given: next(penalties) + task.value(given)), heard)
    values = [value for _, value in heard.epochs]
    assert ended == Ended(values[1], is_pruned=False)
    assert min(values) == values[1]
    assert place.attributes["best_epoch"] == 2
    exam = task.exams["validation"]
    probabilities = probabilities_of(TorchEngine(place.kept).model, exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value, abs=1e-12)


def test_beside_kept_weights_stands_all_that_made_them(task: Task, place: Place) -> None:
    place.run(variant(task, LORA))
    beside = json.loads((place.kept / "moodline.json").read_text(encoding="utf-8"))
    assert beside["recipe"]["method"] == "lora"
    assert beside["recipe"] | LORA == beside["recipe"]
    assert set(beside["metrics"]["per_class"]) == set(LABELS)
    assert [epoch["number"] for epoch in beside["metrics"]["curve"]] == [1, 2, 3]
    assert all(epoch["seconds"] > 0 and epoch["loss"] > 0 for epoch in beside["metrics"]["curve"])
    lineage = beside["lineage"]
    assert lineage["parts"] == {"original.train (content)": "c0ffee"}
    assert lineage["seeds"] == [lineage["seed"]] == list(seeds_of(task, 0))
    assert {"moodline", "torch", "transformers", "peft", "safetensors", "optuna"} <= set(lineage["versions"])


def test_a_model_kept_from_adapters_is_a_plain_one(task: Task, place: Place) -> None:
    ended = place.run(variant(task, LORA))
    exam = task.exams["validation"]
    model = load_classifier(place.kept, LABELS, seed=1)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]
    probabilities = probabilities_of(model, exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value, abs=1e-12)


VARIANTS: dict[str, tuple[dict[str, Dimension], dict[str, Any]]] = {
    "full": ({}, {}),
    "lora": (LORA, {}),
    "two seeds": ({"epochs": 2}, {"seeds": 2}),
}
POINTS = [
    ("studies.objective", "_save_best"),
    ("studies.objective", "save_checkpoint"),
    ("studies.objective", "_sweep_weights"),
    ("studies.objective", "_outcome"),
    ("studies.objective", "model_record"),
    ("studies.retention.registry", "add"),
    ("transfer.checkpoint", "_replace"),
]


@pytest.mark.parametrize("how", ["full", *(pytest.param(how, marks=pytest.mark.slow) for how in ("lora", "two seeds"))])
def test_a_trial_killed_at_any_point_ends_like_one_that_ran_through(
    task: Task, place: Place, another: Place, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before and after every call of the functions that leave something behind, one kill after another."""
    more, changes = VARIANTS[how]
    wanted = variant(task, more, **changes)
    expected = another.run(wanted)
    kills = 0
    for when in ("before", "after"):
        for module, name in POINTS:
            with monkeypatch.context() as patch:
                patch.setattr(f"{module}.{name}", _killing(f"{module}.{name}", when))
                try:
                    place.run(wanted)
                except KilledError:
                    kills += 1
    assert kills > len(POINTS)
    assert place.run(wanted) == expected
    assert place.outcome() == another.outcome()


def _killing(path: str, when: str) -> Callable[..., Any]:
    from importlib import import_module

    module, _, name = path.rpartition(".")
    try:
        holder: Any = import_module(module)
    except ModuleNotFoundError:
        above, _, inner = module.rpartition(".")
        holder = getattr(import_module(above), inner)
    function = getattr(holder, name)

    def killing(*args: Any, **more: Any) -> Any:
        if when == "after":
            function(*args, **more)
        raise KilledError

    return killing


def test_weights_of_an_epoch_that_the_checkpoint_does_not_name_are_never_kept(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU an epoch that is run again may come out otherwise: what was saved for it must not be published."""
    with monkeypatch.context() as patch:
        calls = count()
        save = checkpoint.save_checkpoint

        def killed_in_epoch_2(*args: Any) -> None:
            if next(calls) == 1:
                raise KilledError
            save(*args)

        patch.setattr(objective, "save_checkpoint", killed_in_epoch_2)
        with pytest.raises(KilledError):
            place.run(task)
    assert (place.own / "best-0-002").is_dir()
    original = task.value
    worse = replace(task, value=lambda probabilities: 9.0 + original(probabilities))
    ended = place.run(worse)
    assert ended.value < 9
    assert place.attributes["best_epoch"] == 1
    assert place.attributes["log_loss"] == pytest.approx(ended.value)
    exam = task.exams["validation"]
    probabilities = probabilities_of(load_classifier(place.kept, LABELS, seed=1), exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value)


@pytest.mark.parametrize("seeds", [1, 2])
def test_at_rest_a_trial_takes_one_checkpoint_and_its_best_weights(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch, seeds: int
) -> None:
    seen: list[list[str]] = []
    sweep = objective._sweep_weights

    def look(run: Any) -> None:
        sweep(run)
        seen.append(sorted(path.name for path in place.own.iterdir()))

    monkeypatch.setattr(objective, "_sweep_weights", look)
    place.run(variant(task, seeds=seeds))
    assert len(seen) == 3 * seeds
    assert {len(names) for names in seen} == {2}
    assert {names[1] for names in seen} == {"checkpoint"}
    study = place.study()
    study.tell(0, 0.5)
    sweep_scratch(study, place.own.parent)
    assert not place.own.exists()


@pytest.mark.parametrize("lost", ["state.safetensors", "state.json", "best"])
def test_a_trial_whose_files_are_damaged_begins_again(
    task: Task, place: Place, another: Place, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    another.run(task)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "_outcome", _killing("studies.objective._outcome", "before"))
        with pytest.raises(KilledError):
            place.run(task)
    if lost == "best":
        (best,) = place.own.glob("best-*")
        best.rename(place.own / "elsewhere")
    else:
        (place.own / "checkpoint" / lost).write_bytes(b"{")
    place.run(task)
    assert place.outcome() == another.outcome()


def test_several_seeds_make_one_value_and_the_best_of_them_is_kept(task: Task, place: Place, bert: Path) -> None:
    heard = Heard()
    ended = place.run(variant(task, {"epochs": 2}, seeds=3), heard)
    best = [min(value for _, value in heard.epochs[2 * k : 2 * k + 2]) for k in range(3)]
    assert ended.value == pytest.approx(np.mean(best))
    assert len(set(best)) == 3
    attributes = place.attributes
    assert attributes["spread"] == pytest.approx(np.std(best, ddof=1))
    assert attributes["kept_value"] == min(best) == pytest.approx(attributes["log_loss"])
    assert attributes["kept_seed"] == best.index(min(best))
    assert place.study().get_trials(deepcopy=False)[0].intermediate_values == {1: best[0], 2: best[1], 3: best[2]}
    assert place.record.value == ended.value
    lineage = place.record.lineage
    assert lineage["seed"] == lineage["seeds"][attributes["kept_seed"]]


def test_several_seeds_are_the_same_for_all_trials_a_single_one_is_not(task: Task) -> None:
    several = replace(task, seeds=3)
    assert len(set(seeds_of(several, 0))) == 3
    assert seeds_of(several, 0) == seeds_of(several, 7)
    assert seeds_of(task, 0) != seeds_of(task, 7)


def test_a_finished_seed_is_not_run_again(task: Task, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = variant(task, {"epochs": 2}, seeds=2)
    with monkeypatch.context() as patch:
        calls = count()
        save = objective._run_epoch

        def killed_in_seed_2(*args: Any) -> float:
            if next(calls) == 2:
                raise KilledError
            return save(*args)

        patch.setattr(objective, "_run_epoch", killed_in_seed_2)
        with pytest.raises(KilledError):
            place.run(wanted)
    heard = Heard()
    place.run(wanted, heard)
    assert [epoch for epoch, _ in heard.epochs] == [1, 2]


def test_with_several_seeds_a_pruner_judges_seed_by_seed(task: Task, place: Place) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)  # whatever is reported is too much
    heard = Heard()
    ended = place.run(variant(task, {"epochs": 2}, seeds=3), heard)
    assert ended.is_pruned
    assert len(heard.epochs) == 2  # the first seed's, and no other's
    assert registry.models(place.engine, "small") == []


def test_a_pruner_stops_a_single_seed_after_an_epoch(task: Task, place: Place) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)
    heard = Heard()
    assert place.run(task, heard).is_pruned
    assert len(heard.epochs) == 1
    assert "reason" not in place.attributes


def test_a_model_that_knows_one_label_is_complete_and_says_so(task: Task, place: Place) -> None:
    train = task.examples({}, 0)
    anger = np.zeros_like(train.targets)
    anger[:, 0] = 1
    one_label = replace(task, examples=lambda params, seed: Examples(train.tokens, anger, train.weights))
    assert not place.run(one_label).is_pruned
    assert place.attributes["collapsed"] == "anger"
    assert place.attributes["reason"] == "collapsed: every validation text is given 'anger'"
    assert place.record.value is not None


def test_probabilities_that_are_no_numbers_end_the_trial(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: Any, tokens: Any, **more: Any) -> Probabilities:
        found = probabilities_of(model, tokens, **more)
        found[3] = np.nan
        return found

    monkeypatch.setattr(objective, "probabilities_of", broken)
    with pytest.raises(DivergedError, match="probabilities on validation are no numbers"):
        place.run(task)


def _cramped(patch: pytest.MonkeyPatch, most: int) -> None:
    """A device that holds `most` padded tokens."""

    def load(*args: Any, **more: Any) -> Any:
        model = load_classifier(*args, **more)

        def burst(module: Any, args: Any, given: dict[str, torch.Tensor]) -> None:
            if given["input_ids"].numel() > most:
                raise torch.OutOfMemoryError("CUDA out of memory")

        model.register_forward_pre_hook(burst, with_kwargs=True)
        return model

    patch.setattr(objective, "load_classifier", load)


def test_a_trial_short_of_memory_says_so_and_ends_as_with_less_from_the_start(
    task: Task, place: Place, another: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = another.run(replace(task, token_budget=64))
    assert "token_budget" not in another.attributes
    heard = Heard()
    with monkeypatch.context() as patch:
        _cramped(patch, 70)
        assert place.run(replace(task, token_budget=256), heard) == small
    assert place.outcome()["weights"] == another.outcome()["weights"]
    assert place.attributes["token_budget"] == 64
    assert place.attributes["gradient_checkpointing"] is False
    assert [note[:20] for note in heard.notes] == ["out of memory: now 1", "out of memory: now 6"]


def test_where_not_even_the_optimiser_has_room_the_reason_says_what_to_do(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(NoRoomError, match="the model and its optimiser alone; lower max_length"):
        place.run(task)


def test_a_pruned_trial_killed_at_its_end_still_knows_that_memory_was_short(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)
    _cramped(monkeypatch, 70)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "_outcome", _killing("studies.objective._outcome", "before"))
        with pytest.raises(KilledError):
            place.run(replace(task, token_budget=256))
    heard = Heard()
    assert place.run(replace(task, token_budget=256), heard).is_pruned
    assert heard.epochs == []
    assert place.attributes["token_budget"] == 64


class Clock:
    """Every look at it takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


def test_a_trial_over_its_time_is_pruned_with_its_best_epoch(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    heard = Heard()
    ended = place.run(replace(task, time_limit=6.0), heard)  # an epoch takes four looks
    assert ended.is_pruned
    assert [value for _, value in heard.epochs] == [ended.value]
    assert place.attributes["reason"] == "over its time limit of 0.1 minutes in epoch 2"
    assert registry.models(place.engine, "small") == []


def test_time_before_a_kill_counts(task: Task, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    limited = replace(task, time_limit=6.0)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "_sweep_weights", _killing("studies.objective._sweep_weights", "before"))
        with pytest.raises(KilledError):
            place.run(limited)
    assert place.run(limited).is_pruned
    assert place.attributes["best_epoch"] == 1


def test_a_trial_over_its_time_before_any_epoch_fails(
    task: Task, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    with pytest.raises(OverTimeError, match=r"over its time limit of 0.01\d* minutes in epoch 1"):
        place.run(replace(task, time_limit=1.0))
