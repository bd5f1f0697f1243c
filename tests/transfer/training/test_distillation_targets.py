"""A pupil learns what its teacher says, at the temperature asked for, and labels beside it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.tiny_encoders import LABELS, LONGEST, easy_texts, save_encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import encode
from transfer.engines.torch_engine import probabilities_of
from transfer.metrics.scores import metric_value
from transfer.training.distillation_targets import distillation_examples
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Recipe, one_hot

SAID = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return save_encoder("bert", tmp_path / "bert")


def test_weights_share_the_loss_as_asked_for(encoder: Path) -> None:
    tokenizer = load_tokenizer(str(encoder))
    taught, labelled = encode(["happy", "sad"], tokenizer, LONGEST), encode(["fun"] * 3, tokenizer, LONGEST)
    both = distillation_examples(
        taught, SAID, labelled, one_hot(np.array([1, 1, 1]), 3), temperature=1, label_share=0.25
    )
    assert both.weights[2:].sum() / both.weights.sum() == pytest.approx(0.25)
    assert both.temperatures is None
    np.testing.assert_allclose(both.targets[:2], SAID, atol=1e-6)
    alone = distillation_examples(taught, SAID, labelled, one_hot(np.array([1, 1, 1]), 3), temperature=1, label_share=0)
    assert len(alone) == 2


def test_the_loss_is_the_divergence_at_the_temperature_up_to_a_constant(encoder: Path) -> None:
    """By Hinton et al.: T² KL(softmax(teacher / T), softmax(pupil / T)), whose gradient is what is learnt by."""
    tokenizer = load_tokenizer(str(encoder))
    taught = encode(["happy fun", "sad cry"], tokenizer, LONGEST)
    warm = 3.0
    examples = distillation_examples(taught, SAID, taught, SAID, temperature=warm, label_share=0)
    model = load_classifier(str(encoder), LABELS, seed=0, dropout=0.0)
    tuning = FineTuning(model, examples, Recipe(dropout=0.0, batch_size=2, epochs=1), seed=0)
    logits = torch.from_numpy(np.log(probabilities_of(model, taught).clip(1e-12)))
    raised = SAID ** (1 / warm)
    target = torch.from_numpy(raised / raised.sum(axis=1, keepdims=True))
    divergence = torch.nn.functional.kl_div(torch.log_softmax(logits / warm, -1), target, reduction="batchmean")
    entropy = -(target * target.log()).sum(-1).mean()
    model.train(False)
    with torch.no_grad():
        loss = tuning._loss(np.arange(2)) / 2
    assert float(loss) == pytest.approx(float(divergence + entropy), abs=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_pupil_comes_to_say_what_its_teacher_says(encoder: Path, temperature: float) -> None:
    texts, labels = easy_texts(96, seed=3)
    said = (0.8 * one_hot(labels, 3) + 0.2 / 3).astype(np.float32)
    tokens = encode(texts, load_tokenizer(str(encoder)), LONGEST)
    examples = distillation_examples(tokens, said, tokens, said, temperature=temperature, label_share=0)
    model = load_classifier(str(encoder), LABELS, seed=0, dropout=0.0)
    tuning = FineTuning(model, examples, Recipe(learning_rate=5e-3, batch_size=8, epochs=8, dropout=0.0), seed=0)
    while not tuning.is_done:
        tuning.run_epoch()
    found = probabilities_of(model, tokens)
    assert metric_value("accuracy", found, labels) > 0.9
    # not surer than its teacher, as one that learnt from labels would be
    assert float(found.max(axis=1).mean()) == pytest.approx(0.87, abs=0.08)
