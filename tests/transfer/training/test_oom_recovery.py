"""Out of memory: batches shrink, results do not change, and a trial that cannot be helped says why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.tiny_encoders import LABELS, Encoder, easy_examples
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.torch_engine import probabilities_of
from transfer.training.checkpoint import restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.oom_recovery import GradientCheckpointing, NoRoomError, OomRecovery, is_out_of_memory
from transfer.training.recipe import Method, Recipe

RECIPE = Recipe(learning_rate=1e-3, batch_size=16, epochs=2, dropout=0.0, max_length=32)
Weights = dict[str, torch.Tensor]


def begin(
    folder: Path,
    recipe: Recipe = RECIPE,
    tokens: int | None = None,
    checkpointing: GradientCheckpointing = False,
    said: list[str] | None = None,
) -> FineTuning:
    memory = OomRecovery(tokens, checkpointing, (said if said is not None else []).append)
    model = load_classifier(folder, LABELS, seed=1, dropout=recipe.dropout)
    return FineTuning(model, easy_examples(load_tokenizer(str(folder))), recipe, 1, memory)


def cramp(tuning: FineTuning, most: int, error: Exception | None = None, *, unless_recomputed: bool = False) -> None:
    """The device holds `most` padded tokens and not one more; the fault comes late, when dropout was drawn already."""
    widths: list[int] = []

    def note(module: Any, args: Any, given: dict[str, torch.Tensor]) -> None:
        widths.append(given["input_ids"].numel())

    def burst(module: Any, args: Any, out: Any) -> None:
        if widths[-1] > most and not (unless_recomputed and tuning.memory.recomputes):
            raise error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")

    tuning.model.register_forward_pre_hook(note, with_kwargs=True)
    tuning.model.get_submodule("bert").register_forward_hook(burst)


def finish(tuning: FineTuning) -> Weights:
    while not tuning.is_done:
        tuning.run_epoch()
        probabilities_of(tuning.model, tuning.examples.tokens, memory=tuning.memory)
    return {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_run_short_of_memory_ends_like_one_that_began_with_less(
    encoder: Encoder, error: Exception, dropout: float
) -> None:
    recipe = replace(RECIPE, dropout=dropout)
    small = finish(begin(encoder("bert"), recipe, tokens=64))
    said: list[str] = []
    tuning = begin(encoder("bert"), recipe, tokens=256, said=said)
    cramp(tuning, 100, error)
    assert same(finish(tuning), small)
    assert tuning.memory.tokens == 64
    assert tuning.memory.was_short
    assert [line[:28] for line in said] == ["out of memory: now 128 token", "out of memory: now 64 tokens"]


def test_the_weights_are_those_of_ample_memory_but_for_rounding(encoder: Encoder) -> None:
    ample = finish(begin(encoder("bert")))
    tuning = begin(encoder("bert"))
    cramp(tuning, 60)
    for name, value in finish(tuning).items():
        torch.testing.assert_close(value, ample[name], rtol=1e-3, atol=1e-4)
    assert tuning.memory.tokens < 60


def test_memory_that_runs_out_while_judging_loses_no_text(encoder: Encoder) -> None:
    ample = begin(encoder("bert"))
    expected = probabilities_of(ample.model, ample.examples.tokens)
    tuning = begin(encoder("bert"))
    cramp(tuning, 50)
    heard: list[int] = []
    memory = OomRecovery()
    found = probabilities_of(tuning.model, tuning.examples.tokens, heard.append, memory)
    assert np.allclose(found, expected, atol=1e-6)
    assert sum(heard) == 48
    assert memory.tokens <= 50


def test_where_one_text_is_too_much_the_trial_fails_and_says_what_to_do(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"))
    cramp(tuning, 3)
    with pytest.raises(NoRoomError, match=r"out of memory with one text of .* tokens at a time; lower max_length"):
        tuning.run_epoch()


def test_activations_are_recomputed_before_giving_up(encoder: Encoder) -> None:
    said: list[str] = []
    tuning = begin(encoder("bert"), checkpointing="auto", said=said)
    cramp(tuning, 3, unless_recomputed=True)
    expected = finish(begin(encoder("bert")))
    assert same(finish(tuning), expected)
    assert "gradient checkpointing" in said[-1]
    assert tuning.memory.tokens == OomRecovery().tokens  # with room again, passes are as large as before
    assert tuning.memory.was_short


def test_another_error_is_not_taken_for_it(encoder: Encoder) -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    tuning = begin(encoder("bert"))
    cramp(tuning, 60, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        tuning.run_epoch()


def test_a_lowered_budget_outlives_a_kill(encoder: Encoder, tmp_path: Path) -> None:
    recipe = replace(RECIPE, dropout=0.3)
    through = begin(encoder("bert"), recipe)
    cramp(through, 60)
    expected = finish(through)

    tuning = begin(encoder("bert"), recipe)
    cramp(tuning, 60)
    tuning.run_epoch()
    probabilities_of(tuning.model, tuning.examples.tokens, memory=tuning.memory)
    save_checkpoint(tmp_path / "checkpoint", tuning, {})
    again = begin(encoder("bert"), recipe)
    restore_checkpoint(tmp_path / "checkpoint", again)
    assert again.memory.tokens == through.memory.tokens
    assert same(finish(again), expected)  # and would have been another's with the whole budget


def test_a_checkpoint_of_a_smaller_device_is_no_shortage() -> None:
    memory = OomRecovery(1000)
    memory.resume(OomRecovery(100).state())
    assert (memory.tokens, memory.was_short) == (100, False)
    short = OomRecovery(1000)
    short.tokens = 500
    memory = OomRecovery(1000)
    memory.resume(short.state())
    assert (memory.tokens, memory.was_short) == (500, True)


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra", "distilbert", "albert", "modernbert"])
@pytest.mark.parametrize(("dropout", "method"), [(0.0, "full"), (0.3, "full"), (0.3, "lora")])
def test_recomputing_activations_changes_no_bit(encoder: Encoder, kind: str, dropout: float, method: Method) -> None:
    recipe = replace(RECIPE, dropout=dropout, epochs=1, frozen_layers=1, method=method)
    kept = finish(begin(encoder(kind), recipe))
    passes: list[int] = []
    tuning = begin(encoder(kind), recipe, checkpointing=True)
    last = [m for m in tuning.model.modules() if isinstance(m, torch.nn.Linear)][1]
    last.register_forward_hook(lambda *_: passes.append(1))
    assert same(finish(tuning), kept)
    assert len(passes) > 3 + 1  # more than once for each of three steps and one judging
