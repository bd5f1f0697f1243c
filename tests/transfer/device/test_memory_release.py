"""A worker's memory after its hundredth trial is that after its third."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.helpers.tiny_encoders import LABELS, WIDE_MB, easy_examples, save_wide_encoder
from transfer.device.memory_release import release_memory
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.torch_engine import probabilities_of
from transfer.training.checkpoint import save_checkpoint
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Recipe

WARM = 3  # trials until libraries have all that they keep


def resident_after_each(encoder: Path, trials: int, scratch: Path) -> list[float]:
    """MB, after each of so many trials of ever other sizes."""
    tokenizer = load_tokenizer(str(encoder))
    rng = np.random.default_rng(0)
    resident = []
    for seed in range(trials):
        recipe = Recipe(epochs=1, batch_size=int(rng.choice([8, 16, 32])), frozen_layers=int(rng.integers(0, 2)))
        model = load_classifier(encoder, LABELS, seed=seed, dropout=0.1)
        tuning = FineTuning(model, easy_examples(tokenizer, int(rng.integers(32, 96)), seed), recipe, seed)
        tuning.run_epoch()
        probabilities_of(model, tuning.examples.tokens)
        save_checkpoint(scratch / "checkpoint", tuning, {})
        del model, tuning
        release_memory()
        resident.append(psutil.Process().memory_info().rss / 2**20)
    return resident


@pytest.mark.parametrize("trials", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_memory_stays_flat_over_many_trials(tmp_path: Path, trials: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32: for bfloat16, oneDNN keeps a kernel for each size of batch that it meets, until it has met all."""
    monkeypatch.setattr("transfer.device.device.SMALLEST_BF16_WIDTH", 1 << 20)
    resident = resident_after_each(save_wide_encoder(tmp_path / "wide"), trials, tmp_path)
    assert max(resident[WARM:]) - resident[WARM - 1] < WIDE_MB, resident
