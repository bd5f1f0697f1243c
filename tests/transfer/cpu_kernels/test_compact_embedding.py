"""Only embeddings of words that occur are trained, and models are saved whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.few_word_training import RECIPE, embedding_of, few_words, learn, load
from tests.helpers.tiny_encoders import ARCHITECTURES, Encoder, easy_examples
from transfer.cpu_kernels.compact_embedding import CompactEmbedding, use_compact_embedding
from transfer.encoders.model import load_tokenizer
from transfer.encoders.tokenization import Tokens
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.training.checkpoint import TENSORS, save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Recipe


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


def test_a_text_of_padding_alone_is_no_trouble(encoder: Encoder) -> None:
    model = load(encoder("bert"))
    use_compact_embedding(model, Tokens(np.array([2, 9, 3], dtype=np.int32), np.array([0, 3]), tail=1, pad_id=0))
    assert embedding_of(model)(torch.zeros(1, 4, dtype=torch.int64)).shape == (1, 4, 32)
