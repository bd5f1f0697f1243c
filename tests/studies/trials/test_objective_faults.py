"""One trial that goes wrong: collapsed, not a number, short of memory, over its time."""

from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
import torch

from storage.records import model_registry
from studies.trials import objective
from studies.trials.objective import OverTimeError
from studies.trials.trial_task import Probabilities, TrialTask
from tests.helpers.one_trial import KilledError, Place, RecordingWatcher, killing
from transfer.encoders.model import load_classifier
from transfer.engines.torch_engine import probabilities_of
from transfer.training.finetune import DivergedError
from transfer.training.oom_recovery import NoRoomError
from transfer.training.recipe import Examples


def test_a_model_that_knows_one_label_is_complete_and_says_so(task: TrialTask, place: Place) -> None:
    train = task.examples({}, 0)
    anger = np.zeros_like(train.targets)
    anger[:, 0] = 1
    one_label = replace(task, examples=lambda params, seed: Examples(train.tokens, anger, train.weights))
    assert not place.run(one_label).is_pruned
    assert place.attributes["collapsed"] == "anger"
    assert place.attributes["reason"] == "collapsed: every validation text is given 'anger'"
    assert place.record.value is not None


def test_probabilities_that_are_no_numbers_end_the_trial(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
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
    task: TrialTask, place: Place, another: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = another.run(replace(task, token_budget=64))
    assert "token_budget" not in another.attributes
    heard = RecordingWatcher()
    with monkeypatch.context() as patch:
        _cramped(patch, 70)
        assert place.run(replace(task, token_budget=256), heard) == small
    assert place.outcome()["weights"] == another.outcome()["weights"]
    assert place.attributes["token_budget"] == 64
    assert place.attributes["gradient_checkpointing"] is False
    assert [note[:20] for note in heard.notes] == ["out of memory: now 1", "out of memory: now 6"]


def test_where_not_even_the_optimiser_has_room_the_reason_says_what_to_do(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(NoRoomError, match="the model and its optimiser alone; lower max_length"):
        place.run(task)


def test_a_pruned_trial_killed_at_its_end_still_knows_that_memory_was_short(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)
    _cramped(monkeypatch, 70)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "_result", killing("studies.trials.objective._result", "before"))
        with pytest.raises(KilledError):
            place.run(replace(task, token_budget=256))
    heard = RecordingWatcher()
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
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    heard = RecordingWatcher()
    ended = place.run(replace(task, time_limit=6.0), heard)  # an epoch takes four looks
    assert ended.is_pruned
    assert [value for _, value in heard.epochs] == [ended.value]
    assert place.attributes["reason"] == "over its time limit of 0.1 minutes in epoch 2"
    assert model_registry.models(place.engine, "small") == []


def test_time_before_a_kill_counts(task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    limited = replace(task, time_limit=6.0)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "remove_old_weights", killing("studies.trials.objective.remove_old_weights", "before"))
        with pytest.raises(KilledError):
            place.run(limited)
    assert place.run(limited).is_pruned
    assert place.attributes["best_epoch"] == 1


def test_a_trial_over_its_time_before_any_epoch_fails(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "time", Clock())
    with pytest.raises(OverTimeError, match=r"over its time limit of 0.01\d* minutes in epoch 1"):
        place.run(replace(task, time_limit=1.0))
