"""Fine-tunes of tiny encoders on an easy task: begun, finished, and their gradients."""

from pathlib import Path

import torch

from tests.helpers.tiny_encoders import LABELS, easy_examples
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.torch_engine import probabilities_of
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Examples, Recipe

RECIPE = Recipe(learning_rate=1e-3, batch_size=8, epochs=2, dropout=0.2, max_length=32)


def begin(folder: Path, recipe: Recipe = RECIPE, *, seed: int = 1, examples: Examples | None = None) -> FineTuning:
    model = load_classifier(folder, LABELS, seed=seed, dropout=recipe.dropout)
    torch.seed()  # whatever happened in the process before
    return FineTuning(model, examples or easy_examples(load_tokenizer(str(folder))), recipe, seed)


def finish(tuning: FineTuning) -> dict[str, torch.Tensor]:
    """Weights after the remaining epochs, each of them judged, as a study does."""
    while not tuning.is_done:
        tuning.run_epoch()
        probabilities_of(tuning.model, tuning.examples.tokens)
    return {name: value.detach().clone() for name, value in tuning.model.state_dict().items()}


def gradients(tuning: FineTuning) -> dict[str, torch.Tensor]:
    """What one step over all examples puts into the gradients, after clipping."""
    found: dict[str, torch.Tensor] = {}

    def keep() -> None:
        found.update({n: p.grad.clone() for n, p in tuning.model.named_parameters() if p.grad is not None})

    tuning.optimizer.step = keep
    tuning.schedule.step = lambda: None  # type: ignore[method-assign,misc,assignment]
    tuning.run_epoch()
    return found
