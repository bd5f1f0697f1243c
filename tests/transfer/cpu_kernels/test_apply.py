"""What makes training cheap changes nothing about what is learnt, saved and judged."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.helpers.few_word_training import RECIPE, embedding_of, few_words, learn, load
from tests.helpers.tiny_encoders import ARCHITECTURES, Encoder
from tests.helpers.tiny_fine_tunes import gradients
from transfer.training.checkpoint import restore_checkpoint, save_checkpoint
from transfer.training.finetune import FineTuning


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
