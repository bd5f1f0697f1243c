"""What makes training cheap changes nothing about what is learnt, saved and judged."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, easy_examples
from tests.transfer.conftest import Encoder
from tests.transfer.training.test_finetune import gradients
from transfer.cpu_kernels.apply import apply_cpu_kernels
from transfer.cpu_kernels.compact_embedding import CompactEmbedding, use_compact_embedding
from transfer.cpu_kernels.dropout import FastDropout, dropout_mask
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import Tokens
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.training.checkpoint import TENSORS, restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Examples, Recipe

RECIPE = Recipe(learning_rate=1e-3, batch_size=8, epochs=2, dropout=0.0, max_length=32, weight_decay=0.1)


def few_words(folder: Path) -> Examples:
    """Examples that leave most of the vocabulary unused."""
    examples = easy_examples(load_tokenizer(str(folder)), 200)
    rows = np.argsort(examples.tokens.lengths, kind="stable")[:12]
    return Examples(examples.tokens.take(rows), examples.targets[rows], examples.weights[rows])


def load(folder: Path, dropout: float = 0.0) -> PreTrainedModel:
    return load_classifier(folder, LABELS, seed=1, dropout=dropout)


def embedding_of(model: PreTrainedModel) -> Any:
    return model.get_input_embeddings()


def learn(tuning: FineTuning) -> PreTrainedModel:
    while not tuning.is_done:
        tuning.run_epoch()
    return tuning.model


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.cpu_kernels.apply.ENABLED", False)


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert", "modernbert"])
def test_the_gradients_are_those_of_the_plain_model(
    encoder: Encoder, kind: str, request: pytest.FixtureRequest
) -> None:
    folder = encoder(kind)
    examples = few_words(folder)
    recipe = replace(RECIPE, batch_size=len(examples))
    tuning = FineTuning(load(folder), examples, recipe, 1)
    quick = gradients(tuning)
    request.getfixturevalue("plainly")
    plain = gradients(FineTuning(load(folder), examples, recipe, 1))
    assert quick.keys() == plain.keys()
    embedding = embedding_of(tuning.model)
    for name, expected in plain.items():
        rows = embedding.place >= 0 if len(expected) == embedding.num_embeddings else slice(None)
        torch.testing.assert_close(quick[name], expected[rows], rtol=1e-3, atol=1e-6)
        assert float(expected[rows].norm()) == pytest.approx(float(expected.norm()))


@pytest.mark.parametrize("kind", [*ARCHITECTURES, "albert", "modernbert"])
def test_words_never_trained_on_stay_as_pretrained_and_are_saved(encoder: Encoder, tmp_path: Path, kind: str) -> None:
    folder = encoder(kind)
    before = embedding_of(load(folder)).weight.detach().clone()
    tuning = FineTuning(load(folder), few_words(folder), RECIPE, 1)
    model = learn(tuning)
    embedding = embedding_of(model)
    assert isinstance(embedding, CompactEmbedding)
    assert len(embedding.weight) < len(before) / 2
    unseen = easy_examples(load_tokenizer(str(folder)), 60, seed=8).tokens
    assert not set(unseen.flat.tolist()) <= set(few_words(folder).tokens.flat.tolist())
    judged = probabilities_of(model, unseen)
    model.save_pretrained(tmp_path / "saved")
    load_tokenizer(str(folder)).save_pretrained(tmp_path / "saved")

    saved = TorchEngine(tmp_path / "saved").model
    after = embedding_of(saved).weight
    changed = (after != before).any(dim=1).nonzero().flatten().tolist()
    padding = {few_words(folder).tokens.pad_id, model.config.pad_token_id}
    assert set(changed) - padding == set(few_words(folder).tokens.flat.tolist()) - padding
    np.testing.assert_allclose(probabilities_of(saved, unseen), judged, atol=1e-5)


def test_a_checkpoint_holds_the_words_that_occur_alone(encoder: Encoder, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    tuning = FineTuning(load(encoder("bert")), few_words(encoder("bert")), RECIPE, 1)
    tuning.run_epoch()
    save_checkpoint(tmp_path / "state", tuning, {})
    used = len(set(tuning.examples.tokens.flat.tolist()) | {tuning.examples.tokens.pad_id})
    name = "bert.embeddings.word_embeddings.weight"
    assert len(load_file(tmp_path / "state" / TENSORS)[f"model.{name}"]) == used < 100


def test_an_embedding_that_is_shared_or_frozen_stays_whole(encoder: Encoder) -> None:
    tokens = few_words(encoder("bert")).tokens
    shared = load(encoder("bert"))
    shared.register_parameter("decoder", embedding_of(shared).weight)
    use_compact_embedding(shared, tokens)
    assert type(embedding_of(shared)) is nn.Embedding
    tuning = FineTuning(load(encoder("bert")), few_words(encoder("bert")), Recipe(frozen_layers=1), 1)
    assert type(embedding_of(tuning.model)) is nn.Embedding


def test_whole_weights_can_be_put_into_a_compact_model(encoder: Encoder) -> None:
    model, other = load(encoder("bert")), load(encoder("bert"))
    use_compact_embedding(model, few_words(encoder("bert")).tokens)
    with torch.no_grad():
        embedding_of(other).weight.add_(1.0)
    model.load_state_dict(other.state_dict())
    rows = embedding_of(model).place >= 0
    assert torch.equal(embedding_of(model).weight, embedding_of(other).weight[rows])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 0.5])
def test_masks_have_their_share_of_zeros_and_keep_the_mean(dtype: torch.dtype, rate: float) -> None:
    torch.manual_seed(3)
    drawn = dropout_mask(torch.Size((1001, 999)), rate, dtype)
    assert drawn.dtype == dtype
    assert float((drawn == 0).float().mean()) == pytest.approx(rate, abs=0.004)
    assert float(drawn.double().mean()) == pytest.approx(1.0, abs=0.003)
    assert len(torch.unique(drawn)) == 2
    by_row = drawn.double().mean(dim=1)  # rows of independent elements spread as much as a binomial's
    assert float(by_row.std()) == pytest.approx((rate / (1 - rate) / 999) ** 0.5, rel=0.1)


def test_masks_follow_from_the_random_state_of_torch_and_differ(encoder: Encoder) -> None:
    layer, ones = FastDropout(0.5), torch.ones(64, 64)
    torch.manual_seed(1)
    first, second = layer(ones), layer(ones)
    torch.manual_seed(1)
    assert torch.equal(layer(ones), first)
    assert not torch.equal(first, second)
    assert torch.equal(layer.eval()(ones), ones)


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_the_last_layer_works_for_the_first_token_alone(encoder: Encoder, kind: str) -> None:
    plain, quick = load(encoder(kind)), load(encoder(kind))
    apply_cpu_kernels(quick, "cpu")
    seen: list[torch.Size] = []
    base: Any = quick.base_model
    base.encoder.layer[-1].register_forward_hook(lambda module, given, out: seen.append(out.shape))
    tokens = easy_examples(load_tokenizer(str(encoder(kind)))).tokens
    np.testing.assert_allclose(probabilities_of(quick, tokens), probabilities_of(plain, tokens), atol=1e-6)
    assert seen == [torch.Size((len(tokens), 1, 32))]


def test_gradient_checkpointing_gets_the_same_masks_again(encoder: Encoder) -> None:
    weights = []
    for recomputes in (False, True):
        tuning = FineTuning(load(encoder("bert"), 0.3), few_words(encoder("bert")), RECIPE, 1)
        if recomputes:
            tuning.model.activation_checkpointing_enable({"use_reentrant": False})
        weights.append(learn(tuning).state_dict())
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_in_bfloat16_a_restored_fine_tune_ends_as_one_that_ran_through(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("transfer.device.device.SMALLEST_BF16_WIDTH", 1)
    monkeypatch.setattr("transfer.device.device.has_bf16", lambda device: True)

    def begin() -> FineTuning:
        return FineTuning(load(encoder(kind), 0.2), few_words(encoder(kind)), RECIPE, 1)

    tuning = begin()
    tuning.run_epoch()
    save_checkpoint(tmp_path / "state", tuning, {})
    expected = learn(tuning).state_dict()
    torch.seed()
    restored = begin()
    restore_checkpoint(tmp_path / "state", restored)
    found = learn(restored).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_text_of_padding_alone_is_no_trouble(encoder: Encoder) -> None:
    model = load(encoder("bert"))
    use_compact_embedding(model, Tokens(np.array([2, 9, 3], dtype=np.int32), np.array([0, 3]), tail=1, pad_id=0))
    assert embedding_of(model)(torch.zeros(1, 4, dtype=torch.int64)).shape == (1, 4, 32)
