"""Probabilities come in the order of the texts, whatever batches they went through."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, LONGEST, Encoder, easy_texts
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import encode
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.errors import UserError

TEXTS = [*easy_texts(40, 3)[0], "hm", "happy " * 100]


@pytest.fixture(params=[*ARCHITECTURES, "modernbert"])
def folder(request: pytest.FixtureRequest, encoder: Encoder, tmp_path: Path) -> Path:
    """A classifier as a study keeps it."""
    source = encoder(request.param)
    load_classifier(source, LABELS, seed=1, dropout=0.3).save_pretrained(tmp_path / "kept")
    load_tokenizer(str(source)).save_pretrained(tmp_path / "kept")
    return tmp_path / "kept"


def test_order_is_kept_and_company_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TorchEngine(folder)
    alone = np.concatenate([engine.probabilities([text]) for text in TEXTS])
    assert alone.shape == (len(TEXTS), len(LABELS))
    assert alone.dtype == np.float32
    assert alone.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert len(np.unique(alone.round(4), axis=0)) > 30  # the texts are told apart
    for budget in (70, 4096):
        monkeypatch.setattr("transfer.device.device.TOKEN_BUDGET", budget)
        np.testing.assert_allclose(engine.probabilities(TEXTS), alone, atol=1e-5)
        np.testing.assert_allclose(engine.probabilities(TEXTS[::-1])[::-1], alone, atol=1e-5)


def test_probabilities_are_those_of_transformers_own_forward_pass(folder: Path) -> None:
    engine = TorchEngine(folder)
    with torch.no_grad():
        expected = engine.model(**engine.tokenizer(TEXTS[0], return_tensors="pt")).logits.softmax(-1)
    np.testing.assert_allclose(engine.probabilities(TEXTS[:1]), expected, atol=1e-6)


def test_no_texts_are_no_rows(encoder: Encoder) -> None:
    model = load_classifier(encoder("bert"), LABELS, seed=1)
    tokens = encode([], load_tokenizer(str(encoder("bert"))), 16)
    assert probabilities_of(model, tokens).shape == (0, len(LABELS))


def test_dropout_is_off_even_after_training(encoder: Encoder) -> None:
    model = load_classifier(encoder("bert"), LABELS, seed=1, dropout=0.5).train()
    tokens = encode(TEXTS, load_tokenizer(str(encoder("bert"))), LONGEST)
    assert np.array_equal(probabilities_of(model, tokens), probabilities_of(model, tokens))


def test_each_batch_is_told(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transfer.device.device.TOKEN_BUDGET", 100)
    model = load_classifier(encoder("bert"), LABELS, seed=1)
    heard: list[int] = []
    probabilities_of(model, encode(TEXTS, load_tokenizer(str(encoder("bert"))), LONGEST), heard.append)
    assert sum(heard) == len(TEXTS)
    assert len(heard) > 3


@pytest.mark.parametrize(("asked", "read"), [(0, LONGEST), (12, 12), (8192, LONGEST)])
def test_no_more_tokens_are_read_than_the_model_takes(folder: Path, asked: int, read: int) -> None:
    engine = TorchEngine(folder, asked)
    assert engine.max_length == read
    engine.probabilities(["happy " * 500])


def test_a_folder_that_is_gone_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        TorchEngine(tmp_path / "gone")
