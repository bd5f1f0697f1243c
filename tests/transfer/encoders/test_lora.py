"""LoRA: adapters sit where they should, learn alone with the head, and leave a plain model behind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, Encoder, easy_examples
from transfer.encoders.lora import has_adapters, is_adapter, merge_adapters, target_modules
from transfer.encoders.model import depth, layer_of, load_classifier, load_tokenizer
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.training.checkpoint import TENSORS, restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Recipe

KINDS = [*ARCHITECTURES, "albert", "modernbert"]
RECIPE = Recipe(
    learning_rate=1e-2,
    batch_size=16,
    epochs=3,
    dropout=0.1,
    max_length=32,
    weight_decay=0.1,
    method="lora",
    lora_rank=4,
)


def begin(folder: Path, recipe: Recipe = RECIPE, n: int = 48) -> FineTuning:
    torch.seed()  # whatever happened in the process before
    model = load_classifier(folder, LABELS, seed=1, dropout=recipe.dropout)
    return FineTuning(model, easy_examples(load_tokenizer(str(folder)), n), recipe, 1)


def finish(tuning: FineTuning) -> dict[str, torch.Tensor]:
    while not tuning.is_done:
        tuning.run_epoch()
        probabilities_of(merge_adapters(tuning.model), tuning.examples.tokens)
    return {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", KINDS)
def test_only_adapters_and_the_head_learn(encoder: Encoder, kind: str) -> None:
    tuning = begin(encoder(kind))
    before = {name: value.detach().clone() for name, value in tuning.model.named_parameters()}
    finish(tuning)
    layers = depth(tuning.model.config)
    for name, value in tuning.model.named_parameters():
        learns = is_adapter(name) or layer_of(name, layers) > layers
        assert value.requires_grad == learns, name
        assert learns or torch.equal(value, before[name]), name
    changed = [name for name, value in tuning.model.named_parameters() if not torch.equal(value, before[name])]
    assert any(is_adapter(name) for name in changed)
    assert any(not is_adapter(name) for name in changed)


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_found_in_every_architecture_and_all_is_more(encoder: Encoder, kind: str) -> None:
    model = load_classifier(encoder(kind), LABELS, seed=1)
    attention, every = (target_modules(model, targets, 0) for targets in ("attention", "all"))
    assert 0 < len(attention) < len(every)
    assert set(attention) < set(every)
    widths = {model.get_submodule(name).in_features for name in attention}
    assert widths == {32}  # and none of the feed-forward maps, whose inner width is 64
    layers = depth(model.config)
    assert {layer_of(f"{name}.", layers) for name in every} == set(range(1, layers + 1))


def test_frozen_layers_get_no_adapters(encoder: Encoder) -> None:
    model = load_classifier(encoder("bert"), LABELS, seed=1)
    assert all("layer.1." in name for name in target_modules(model, "all", 2))
    assert target_modules(model, "all", 3) == []
    tuning = begin(encoder("bert"), replace(RECIPE, frozen_layers=99))
    assert not has_adapters(tuning.model)
    assert merge_adapters(tuning.model) is tuning.model
    tuning.run_epoch()


@pytest.mark.parametrize("kind", KINDS)
def test_a_merged_model_is_plain_and_computes_the_same(encoder: Encoder, tmp_path: Path, kind: str) -> None:
    tuning = begin(encoder(kind), replace(RECIPE, dropout=0.0))
    tuning.run_epoch()
    before = {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}
    merged = merge_adapters(tuning.model)
    assert not has_adapters(merged)
    tokens = tuning.examples.tokens
    judged = probabilities_of(merged, tokens)
    assert np.allclose(judged, probabilities_of(tuning.model, tokens), atol=1e-5)
    assert same(before, {name: value.detach().clone() for name, value in tuning.model.state_dict().items()})
    merged.save_pretrained(tmp_path / "kept")
    load_tokenizer(str(encoder(kind))).save_pretrained(tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("adapter*"))
    kept = load_classifier(tmp_path / "kept", LABELS, seed=9)
    assert {name for name, _ in kept.named_parameters()} == {name for name, _ in merged.named_parameters()}
    assert np.array_equal(probabilities_of(kept, tokens), judged)
    assert TorchEngine(tmp_path / "kept").probabilities(["so happy"]).shape == (1, 3)


def test_adapters_begin_without_effect(encoder: Encoder) -> None:
    begun = begin(encoder("bert"), replace(RECIPE, dropout=0.0))
    tokens = begun.examples.tokens
    plain_one = load_classifier(encoder("bert"), LABELS, seed=1, dropout=0.0)
    assert np.array_equal(probabilities_of(begun.model, tokens), probabilities_of(plain_one, tokens))


def test_an_easy_task_is_learnt(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, epochs=8, dropout=0.0, lora_rank=8), n=300)
    finish(tuning)
    unseen = easy_examples(load_tokenizer(str(encoder("bert"))), 100, seed=5)
    predicted = probabilities_of(merge_adapters(tuning.model), unseen.tokens).argmax(axis=1)
    assert (predicted == unseen.targets.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
@pytest.mark.parametrize("frozen", [0, 2])
def test_a_restored_fine_tune_ends_as_one_that_ran_through(
    encoder: Encoder, tmp_path: Path, kind: str, frozen: int
) -> None:
    recipe = replace(RECIPE, dropout=0.3, frozen_layers=frozen, layer_decay=0.8)
    expected = finish(begin(encoder(kind), recipe))
    for _ in range(3):  # killed after every epoch
        tuning = begin(encoder(kind), recipe)
        restore_checkpoint(tmp_path / "checkpoint", tuning)
        tuning.run_epoch()
        probabilities_of(merge_adapters(tuning.model), tuning.examples.tokens)
        save_checkpoint(tmp_path / "checkpoint", tuning, {})
    assert tuning.is_done
    assert same({name: value.detach() for name, value in tuning.model.state_dict().items()}, expected)


def test_a_checkpoint_holds_the_adapters_and_the_head_alone(encoder: Encoder, tmp_path: Path) -> None:
    sizes = []
    for method in ("full", "lora"):
        tuning = begin(encoder("bert"), replace(RECIPE, method=method, lora_rank=1, lora_targets="attention"))
        tuning.run_epoch()
        save_checkpoint(tmp_path / method, tuning, {})
        sizes.append((tmp_path / method / TENSORS).stat().st_size)
    assert sizes[1] < sizes[0] / 3


def test_each_layers_adapters_have_their_rate(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, learning_rate=1e-3, layer_decay=0.5, warmup_share=0.0))
    names = {parameter: name for name, parameter in tuning.model.named_parameters()}
    rates = {
        layer_of(names[parameter], 2): group["initial_lr"]
        for group in tuning.optimizer.param_groups
        for parameter in group["params"]
    }
    assert rates == {1: 2.5e-4, 2: 5e-4, 3: 1e-3}
