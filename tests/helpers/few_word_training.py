"""Training tiny encoders on texts of few words."""

from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from tests.helpers.tiny_encoders import LABELS, easy_examples
from transfer.encoders.model import load_classifier, load_tokenizer
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
