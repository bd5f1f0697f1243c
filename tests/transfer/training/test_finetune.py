"""A fine-tune learns, follows from its seed, does what its recipe says, and leaves nothing behind."""

import gc
import itertools
import math
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, Encoder, easy_examples
from tests.helpers.tiny_fine_tunes import RECIPE, begin, finish, gradients
from transfer.encoders.model import depth, layer_of, load_classifier, load_tokenizer
from transfer.engines.torch_engine import probabilities_of
from transfer.training.finetune import DivergedError, parameter_groups, rate_shares
from transfer.training.recipe import Examples, Recipe


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def accuracy(model: PreTrainedModel, examples: Examples) -> float:
    predicted = probabilities_of(model, examples.tokens).argmax(axis=1)
    return float((predicted == examples.targets.argmax(axis=1)).mean())


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "modernbert"])
def test_every_architecture_learns_an_easy_task(encoder: Encoder, kind: str) -> None:
    folder = encoder(kind)
    tokenizer = load_tokenizer(str(folder))
    recipe = Recipe(learning_rate=3e-3, batch_size=16, epochs=5, warmup_share=0.2, dropout=0.0)
    tuning = begin(folder, recipe, examples=easy_examples(tokenizer, 300))
    unseen = easy_examples(tokenizer, 100, seed=5)
    before = accuracy(tuning.model, unseen)
    finish(tuning)
    assert before < 0.6
    assert accuracy(tuning.model, unseen) > 0.9


def test_the_same_seed_gives_the_same_weights_to_the_last_bit(encoder: Encoder) -> None:
    folder = encoder("bert")
    first = finish(begin(folder))
    assert same(finish(begin(folder)), first)
    assert not same(finish(begin(folder, seed=2)), first)


def test_an_epoch_sees_every_example_once_and_says_so(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, batch_size=7))
    heard: list[int] = []
    loss = tuning.run_epoch(heard.append)
    assert sum(heard) == len(tuning.examples) == 48
    assert len(heard) == math.ceil(48 / 7)
    assert 0.5 < loss < 2
    assert tuning.epoch == 1


def test_batches_differ_from_epoch_to_epoch(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"))
    lengths = tuning.examples.tokens.lengths
    first = [rows.tolist() for rows in tuning._steps(lengths)]
    tuning.epoch = 1
    second = [rows.tolist() for rows in tuning._steps(lengths)]
    assert first != second
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == list(range(48))


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert", "modernbert"])
@pytest.mark.parametrize("frozen", [0, 1, 2, 99])
def test_frozen_layers_stay_as_pretrained_and_the_others_learn(encoder: Encoder, kind: str, frozen: int) -> None:
    recipe = replace(RECIPE, frozen_layers=frozen, epochs=1, weight_decay=0.1, dropout=0.0)
    tuning = begin(encoder(kind), recipe)
    before = {name: value.detach().clone() for name, value in tuning.model.named_parameters()}
    finish(tuning)
    layers = depth(tuning.model.config)
    changed = {name for name, value in tuning.model.named_parameters() if not torch.equal(value, before[name])}
    expected = {name for name in before if layer_of(name, layers) >= min(frozen, layers + 1)}
    never = {name for name in expected if "position_embeddings" in name or "token_type" in name or "key.bias" in name}
    never |= {name for name in expected if "k_lin.bias" in name}  # a shift of all keys alike changes no attention
    assert changed - never == expected - never
    assert changed <= expected
    assert any(layer_of(name, layers) == layers + 1 for name in changed)


def test_each_layer_has_its_rate_and_vectors_do_not_decay(encoder: Encoder) -> None:
    model = load_classifier(encoder("bert"), LABELS, seed=1)
    recipe = Recipe(learning_rate=1e-3, layer_decay=0.5, weight_decay=0.1)
    names = {parameter: name for name, parameter in model.named_parameters()}
    rates: dict[int, set[float]] = {}
    for group in parameter_groups(model, recipe):
        parameters: list[torch.nn.Parameter] = group["params"]  # type: ignore[assignment]
        for parameter in parameters:
            rates.setdefault(layer_of(names.pop(parameter), 2), set()).add(float(group["lr"]))  # type: ignore[arg-type]
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0.0)
    assert rates == {0: {1.25e-4}, 1: {2.5e-4}, 2: {5e-4}, 3: {1e-3}}
    assert not names


def test_the_rate_rises_then_falls_to_nothing() -> None:
    share = rate_shares(10, 0.2)
    assert [share(step) for step in range(10)] == [1 / 3, 2 / 3, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    assert share(10) == 0.0
    assert [rate_shares(4, 0.0)(step) for step in range(5)] == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert rate_shares(1, 0.9)(0) == 0.5


def test_the_schedule_takes_one_step_with_each_of_the_optimiser(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, warmup_share=0.0, layer_decay=0.5))
    rates = []
    step = tuning.optimizer.step

    def spy() -> None:
        rates.append(tuning.optimizer.param_groups[-1]["lr"])
        step()

    tuning.optimizer.step = spy
    finish(tuning)
    assert rates == pytest.approx([1e-3 * (1 - i / 12) for i in range(12)])
    assert {group["lr"] for group in tuning.optimizer.param_groups} == {0.0}


def test_micro_batches_add_up_to_the_gradient_of_the_whole_batch(encoder: Encoder) -> None:
    folder = encoder("bert")
    recipe = replace(RECIPE, batch_size=48, dropout=0.0, class_weighting="balanced", label_smoothing=0.1)
    whole = gradients(begin(folder, recipe))
    split = begin(folder, recipe)
    split.memory.tokens = 60
    parts = gradients(split)
    assert whole.keys() == parts.keys()
    for name in whole:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped_over_all_parameters_together(encoder: Encoder) -> None:
    examples = easy_examples(load_tokenizer(str(encoder("bert"))))
    tuning = begin(encoder("bert"), replace(RECIPE, batch_size=48, dropout=0.0), examples=examples)
    with torch.no_grad():
        tuning.model.get_parameter("classifier.weight").mul_(1e3)
    norm = torch.stack([value.norm() for value in gradients(tuning).values()]).norm()
    assert float(norm) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("soft", [False, True])
def test_the_loss_is_the_cross_entropy_of_torch(encoder: Encoder, smoothing: float, soft: bool) -> None:
    examples = easy_examples(load_tokenizer(str(encoder("bert"))))
    targets = examples.targets
    if soft:
        targets = np.random.default_rng(0).dirichlet([1, 1, 1], 48).astype(np.float32)
    recipe = replace(RECIPE, batch_size=48, dropout=0.0, label_smoothing=smoothing)
    tuning = begin(encoder("bert"), recipe, examples=replace(examples, targets=targets))
    logits = np.log(probabilities_of(tuning.model, tuning.examples.tokens))
    expected = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(targets), label_smoothing=smoothing
    )
    assert tuning.run_epoch() == pytest.approx(float(expected), rel=1e-5)


def test_smoothing_does_not_make_rare_labels_likelier_than_the_truth(encoder: Encoder) -> None:
    """With weights on the terms of the loss, 3 % of the mass on a label of weight 10 would beat 90 % of one of 0.3."""
    tokenizer = load_tokenizer(str(encoder("bert")))
    many = easy_examples(tokenizer, 200)
    true = many.targets.argmax(axis=1)
    rows = np.concatenate([np.flatnonzero(true == 0), np.flatnonzero(true != 0)[:4]])
    examples = Examples(many.tokens.take(rows), many.targets[rows], many.weights[rows])
    recipe = Recipe(
        learning_rate=3e-3, batch_size=16, epochs=8, dropout=0.0, label_smoothing=0.3, class_weighting="balanced"
    )
    tuning = begin(encoder("bert"), recipe, examples=examples)
    finish(tuning)
    frequent = examples.targets[:, 0] == 1
    predicted = probabilities_of(tuning.model, examples.tokens).argmax(axis=1)
    assert (predicted[frequent] == 0).mean() > 0.9


def test_weights_hold_across_batches_of_one_kind_of_text(encoder: Encoder) -> None:
    """Batches are of like lengths: one of long texts of little weight must not be made as strong as any other."""
    examples = easy_examples(load_tokenizer(str(encoder("bert"))), 32)
    is_long = examples.tokens.lengths > np.median(examples.tokens.lengths)
    weights = np.where(is_long, 0.1, 1.9).astype(np.float32)
    recipe = replace(RECIPE, learning_rate=1e-12, batch_size=8, dropout=0.0)
    tuning = begin(encoder("bert"), recipe, examples=replace(examples, weights=weights))
    logs = np.log(probabilities_of(tuning.model, tuning.examples.tokens))
    losses = -(logs * examples.targets).sum(axis=1)
    assert tuning.run_epoch() == pytest.approx(np.average(losses, weights=weights), rel=1e-4)


def test_dropout_is_on_in_every_epoch_also_after_the_model_was_judged(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"))
    seen: list[bool] = []
    tuning.model.register_forward_hook(lambda module, given, out: seen.append(module.training))
    finish(tuning)
    assert seen == [True] * 6 + [False] + [True] * 6 + [False]


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_loss_that_is_no_number_ends_the_fine_tune(
    encoder: Encoder, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning = begin(encoder("bert"))
    if where == "loss":
        with torch.no_grad():
            tuning.model.get_parameter("classifier.bias")[0] = math.nan
    else:
        weight = tuning.model.get_parameter("classifier.weight")
        weight.register_hook(lambda gradient: gradient * math.inf)  # type: ignore[no-untyped-call]
    before = {name: value.detach().clone() for name, value in tuning.model.named_parameters()}
    with pytest.raises(DivergedError, match="diverged in epoch 1: loss"):
        tuning.run_epoch()
    bert = [name for name in before if "classifier" not in name]
    parameters = dict(tuning.model.named_parameters())
    assert all(torch.equal(parameters[name], before[name]) for name in bert)


def test_an_absurd_rate_is_reported(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, learning_rate=1e30))
    with pytest.raises(DivergedError):
        finish(tuning)


def test_texts_are_cut_to_the_length_of_the_recipe(encoder: Encoder) -> None:
    tuning = begin(encoder("bert"), replace(RECIPE, max_length=5))
    assert int(tuning.examples.tokens.lengths.max()) == 5


def test_a_finished_fine_tune_leaves_no_model_in_memory(encoder: Encoder) -> None:
    folder = encoder("bert")
    gc.collect()
    gc.disable()  # what is free only after a search for circles holds gigabytes until then
    try:
        left = []
        for seed in (1, 2):
            tuning = begin(folder, seed=seed)
            finish(tuning)
            left += [weakref.ref(tuning.model), weakref.ref(tuning.optimizer.optimizer), weakref.ref(tuning)]
            del tuning
        assert [reference() for reference in left] == [None] * 6
    finally:
        gc.enable()


def test_mixed_precision_keeps_the_weights_in_float32_and_is_as_repeatable(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = encoder("bert")
    exact = finish(begin(folder, replace(RECIPE, dropout=0.0)))
    monkeypatch.setattr("transfer.device.device.SMALLEST_BF16_WIDTH", 1)
    monkeypatch.setattr("transfer.device.device.has_bf16", lambda device: True)
    tuning = begin(folder, replace(RECIPE, dropout=0.0))
    seen = []
    query = tuning.model.get_submodule("bert.encoder.layer.0.attention.self.query")
    query.register_forward_hook(lambda module, given, out: seen.append(out.dtype))
    mixed = finish(tuning)
    assert set(seen) == {torch.bfloat16}  # in training and when it is judged
    assert {value.dtype for value in mixed.values()} == {torch.float32}
    assert same(finish(begin(folder, replace(RECIPE, dropout=0.0))), mixed)
    assert not same(mixed, exact)
    differences = [float((mixed[name] - exact[name]).abs().max()) for name in exact]
    assert max(differences) < 0.05
    # And the other way: one model's precision is not the process's.
    monkeypatch.setattr("transfer.device.device.SMALLEST_BF16_WIDTH", 256)
    assert same(finish(begin(folder, replace(RECIPE, dropout=0.0))), exact)
