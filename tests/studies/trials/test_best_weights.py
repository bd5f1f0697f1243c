"""The best epoch's weights are those that are kept, wherever they were meanwhile: in memory or on disk."""

import math
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studies.space.dimensions import Dimension
from studies.trials import best_weights
from studies.trials.best_weights import BestWeights
from studies.trials.learning_curve import Epoch
from studies.trials.trial_resume import seeds_of
from studies.trials.trial_task import Probabilities, TrialTask
from tests.helpers.one_trial import LORA, KilledError, Place, RecordingWatcher, killing, variant
from tests.helpers.tiny_encoders import LABELS, easy_examples
from transfer.encoders.model import load_classifier
from transfer.engines.torch_engine import probabilities_of
from transfer.metrics.scores import score
from transfer.training.finetune import FineTuning


@pytest.fixture(autouse=True)
def _short_epochs(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """After `place`, which has it otherwise: no epoch is long enough for a checkpoint."""
    monkeypatch.setattr("studies.trials.objective.EPOCH_SECONDS", math.inf)


def best_in_epoch(task: TrialTask, number: int) -> TrialTask:
    """The task, with two of every three epochs made out to be worse."""
    penalties: Iterator[float] = cycle([0.0 if epoch == number else 5.0 for epoch in (1, 2, 3)])

    def value(given: Mapping[str, Probabilities]) -> float:
        return next(penalties) + task.value(given)

    return replace(task, value=value)


def kept_value(place: Place, task: TrialTask) -> float:
    exam = task.exams["validation"]
    model = load_classifier(place.kept, LABELS, seed=1)
    return score(probabilities_of(model, exam.tokens), exam.truth, LABELS).log_loss


@pytest.mark.parametrize("more", [{}, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("most_held", [2**29, 0], ids=["in memory", "on disk"])
def test_weights_of_an_epoch_in_the_middle_are_kept_as_they_were_judged(
    task: TrialTask, place: Place, more: dict[str, Dimension], most_held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_weights, "MOST_HELD", most_held)
    wanted = best_in_epoch(variant(task, more), 2)
    ended = place.run(wanted)
    assert place.attributes["best_epoch"] == 2
    assert kept_value(place, task) == pytest.approx(ended.value, abs=1e-6)


def test_an_interrupt_puts_the_best_weights_on_disk_with_the_checkpoint(
    task: TrialTask, place: Place, another: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = another.run(best_in_epoch(task, 1))
    steps = count(1)
    step = FineTuning._step

    def interrupted(self: FineTuning, *given: Any) -> float:
        if next(steps) == 8:  # three an epoch
            signal.raise_signal(signal.SIGINT)
        return step(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(FineTuning, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            place.run(best_in_epoch(task, 1))
    assert [path.name for path in place.own.glob("best-*")] == ["best-0-001"]
    heard = RecordingWatcher()
    worse = replace(task, value=lambda given: 5.0 + task.value(given))
    assert place.run(worse, heard) == expected
    assert [epoch for epoch, _ in heard.epochs] == [3]
    assert place.outcome() == another.outcome()


def test_a_later_seed_with_other_words_is_kept_as_it_was_judged(task: TrialTask, place: Place) -> None:
    """Each seed of stage two mixes its own rows, and learns the embeddings of their words alone."""
    first, second = easy_examples(task.tokenizer, 48), easy_examples(task.tokenizer, 3, seed=1)
    assert len(set(first.tokens.flat)) > len(set(second.tokens.flat))
    penalties = iter([5.0, 10.0, 10.0, 10.0, 0.0, 10.0])
    several = replace(task, seeds=2)
    wanted = replace(
        several,
        examples=lambda params, seed: first if seed == seeds_of(several, 0)[0] else second,
        value=lambda given: next(penalties) + task.value(given),
    )
    place.run(wanted)
    assert (place.attributes["kept_seed"], place.attributes["best_epoch"]) == (1, 2)
    assert kept_value(place, task) == pytest.approx(place.attributes["kept_value"], abs=1e-6)


def test_weights_that_are_not_wanted_are_never_written(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.top_k_models.TopKModels.wants", lambda *_: False)
    monkeypatch.setattr(
        "studies.trials.best_weights.BestWeights.write",
        killing("studies.trials.best_weights.BestWeights.write", "before"),
    )
    ended = place.run(task)
    assert not list(place.own.glob("*/*.safetensors"))
    assert place.attributes["log_loss"] == pytest.approx(ended.value)


def test_a_trial_whose_weights_are_wanted_after_all_begins_again(
    task: TrialTask, place: Place, another: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was killed at its end, and `keep` was raised before it was gone on with."""
    expected = another.run(task)
    with monkeypatch.context() as patch:
        patch.setattr("studies.top_k_models.TopKModels.wants", lambda *_: False)
        patch.setattr("studies.trials.objective._finish", killing("studies.trials.objective._finish", "before"))
        with pytest.raises(KilledError):
            place.run(task)
    heard = RecordingWatcher()
    assert place.run(task, heard) == expected
    assert "its weights are wanted by now, it begins again" in heard.notes
    assert place.outcome() == another.outcome()


def test_the_model_in_training_is_what_it_was_after_its_best_was_written(
    task: TrialTask, bert: Path, tmp_path: Path
) -> None:
    model = load_classifier(bert, LABELS, seed=1)
    own = BestWeights(tmp_path, task.tokenizer)
    own.take(Epoch(0, 1, 0.5, 0.5, 1e-3, 1.0), {"validation": np.ones((1, 3), dtype=np.float32)})
    own.hold(model)
    before = [value.detach().clone() for value in model.parameters()]
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1.0)
    own.write(model)
    written = load_classifier(tmp_path / "best-0-001", LABELS, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(written.parameters(), before, strict=True))
    assert all(torch.equal(a, b + 1.0) for a, b in zip(model.parameters(), before, strict=True))
