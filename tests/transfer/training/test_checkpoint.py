"""A fine-tune that was killed and restored ends as one that ran through, to the last bit."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, Encoder, easy_examples
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.torch_engine import probabilities_of
from transfer.training.checkpoint import restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Examples, Recipe

RECIPE = Recipe(learning_rate=2e-3, batch_size=8, epochs=3, dropout=0.3, max_length=32, weight_decay=0.1)
RECIPES = {
    "plain": RECIPE,
    "frozen layers": replace(RECIPE, frozen_layers=2, layer_decay=0.8),
    "class weights": replace(RECIPE, class_weighting="balanced", label_smoothing=0.1),
    "long warm-up": replace(RECIPE, warmup_share=0.7),
    "anchor": replace(RECIPE, anchor=0.1),
    "robust loss": replace(RECIPE, loss="generalised"),
    "anchored adapters": replace(RECIPE, anchor=0.1, method="lora", loss="symmetric"),
}


class KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


def begin(folder: Path, recipe: Recipe) -> FineTuning:
    """A fine-tune as a new process makes it: whatever state torch and numpy were in."""
    torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
    examples = easy_examples(load_tokenizer(str(folder)), 40)
    soft = np.random.default_rng(0).dirichlet([5, 1, 1], 40).astype(np.float32)
    mixed = Examples(examples.tokens, 0.5 * (examples.targets + soft), np.linspace(0.5, 1.5, 40, dtype=np.float32))
    return FineTuning(load_classifier(folder, LABELS, seed=4, dropout=recipe.dropout), mixed, recipe, 4)


def run(tuning: FineTuning, epochs: int) -> list[float]:
    """Losses of so many epochs, each of them judged, as a study does."""
    losses = []
    for _ in range(epochs):
        losses.append(tuning.run_epoch())
        probabilities_of(tuning.model, tuning.examples.tokens)
    return losses


def weights(tuning: FineTuning) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("kind", "recipe"), [("bert", name) for name in RECIPES] + [(kind, "plain") for kind in ARCHITECTURES[1:]]
)
def test_a_restored_fine_tune_ends_as_one_that_ran_through(
    encoder: Encoder, tmp_path: Path, kind: str, recipe: str
) -> None:
    folder = encoder(kind)
    through = begin(folder, RECIPES[recipe])
    expected = run(through, 3)

    losses = []
    for epoch in range(3):  # killed after every epoch
        tuning = begin(folder, RECIPES[recipe])
        notes = restore_checkpoint(tmp_path / "checkpoint", tuning)
        assert notes == ({"epochs": epoch, "name": "감정"} if epoch else None)
        assert tuning.epoch == epoch
        losses += run(tuning, 1)
        save_checkpoint(tmp_path / "checkpoint", tuning, {"epochs": epoch + 1, "name": "감정"})
    assert losses == expected
    assert same(weights(tuning), weights(through))
    assert tuning.is_done
    assert tuning.schedule.get_last_lr() == through.schedule.get_last_lr()


def test_a_restored_fine_tune_is_judged_as_the_saved_one(encoder: Encoder, tmp_path: Path) -> None:
    tuning = begin(encoder("bert"), RECIPES["frozen layers"])
    run(tuning, 1)
    save_checkpoint(tmp_path / "checkpoint", tuning, {})
    again = begin(encoder("bert"), RECIPES["frozen layers"])
    restore_checkpoint(tmp_path / "checkpoint", again)
    assert same(weights(again), weights(tuning))


def test_frozen_weights_are_not_in_the_file(encoder: Encoder, tmp_path: Path) -> None:
    sizes = []
    for name, frozen in (("all", 0), ("head", 3)):
        tuning = begin(encoder("bert"), replace(RECIPE, frozen_layers=frozen))
        run(tuning, 1)
        save_checkpoint(tmp_path / name, tuning, {})
        sizes.append((tmp_path / name / "state.safetensors").stat().st_size)
    assert sizes[1] < sizes[0] / 3


def test_a_fine_tune_saved_within_an_epoch_ends_as_one_that_ran_through(encoder: Encoder, tmp_path: Path) -> None:
    through = begin(encoder("bert"), RECIPE)
    expected = run(through, 3)

    losses: list[float] = []
    for _ in range(8):  # killed at every second step, five an epoch
        tuning = begin(encoder("bert"), RECIPE)
        restore_checkpoint(tmp_path / "checkpoint", tuning)
        steps = 0

        def step(_: int, tuning: FineTuning = tuning) -> None:
            nonlocal steps
            steps += 1
            if steps == 2:
                save_checkpoint(tmp_path / "checkpoint", tuning, {})
                raise KilledError

        with suppress(KilledError):
            while not tuning.is_done:
                losses.append(tuning.run_epoch(step))
                probabilities_of(tuning.model, tuning.examples.tokens)
    assert losses == expected
    assert same(weights(tuning), weights(through))


@pytest.mark.parametrize("rename", [1, 2])
def test_a_kill_between_the_renames_loses_no_state(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rename: int
) -> None:
    folder, checkpoint = encoder("bert"), tmp_path / "checkpoint"
    tuning = begin(folder, RECIPE)
    run(tuning, 1)
    save_checkpoint(checkpoint, tuning, {"epoch": 1})
    run(tuning, 1)
    renames = []
    rename_for_good = os.rename

    def killed(source: Path, target: Path) -> None:
        renames.append(source)
        if len(renames) == rename:
            raise KilledError
        rename_for_good(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KilledError):
            save_checkpoint(checkpoint, tuning, {"epoch": 2})

    again = begin(folder, RECIPE)
    notes = restore_checkpoint(checkpoint, again)
    assert notes == {"epoch": rename}  # before the first rename the old state, after it the new one
    assert again.epoch == rename
    run(again, 3 - rename)
    through = begin(folder, RECIPE)
    run(through, 3)
    assert same(weights(again), weights(through))
    there: list[int] = []

    def counted(*tensors: Any) -> None:
        save_file(*tensors)
        there.append(len(list(tmp_path.glob("checkpoint*/state.safetensors"))))

    monkeypatch.setattr("transfer.training.checkpoint.save_file", counted)
    save_checkpoint(checkpoint, again, {"epoch": 3})
    assert there == [2]  # the state and the one that takes its place, but none that the kill left
    assert restore_checkpoint(checkpoint, begin(folder, RECIPE)) == {"epoch": 3}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("checkpoint")] == ["checkpoint"]


def test_a_kill_while_writing_leaves_the_old_state(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KilledError

    checkpoint = tmp_path / "checkpoint"
    tuning = begin(encoder("bert"), RECIPE)
    run(tuning, 1)
    for old in (None, {"epoch": 1}):
        if old:
            save_checkpoint(checkpoint, tuning, old)
        with monkeypatch.context() as patch:
            patch.setattr("transfer.training.checkpoint.save_file", killed)
            with pytest.raises(KilledError):
                save_checkpoint(checkpoint, tuning, {"epoch": 2})
        assert restore_checkpoint(checkpoint, begin(encoder("bert"), RECIPE)) == old


@pytest.mark.parametrize("file", ["state.json", "state.safetensors"])
def test_a_damaged_state_is_none_at_all(encoder: Encoder, tmp_path: Path, file: str) -> None:
    folder = encoder("bert")
    tuning = begin(folder, RECIPE)
    run(tuning, 1)
    save_checkpoint(tmp_path / "checkpoint", tuning, {})
    path = tmp_path / "checkpoint" / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = begin(folder, RECIPE)
    assert restore_checkpoint(tmp_path / "checkpoint", again) is None
    assert again.epoch == 0
    assert same(weights(again), weights(begin(folder, RECIPE)))
