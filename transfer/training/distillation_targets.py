"""What a pupil learns from a teacher: its probabilities of texts, and beside them labels that people gave."""

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Tokens, join
from transfer.ensembling.combination import tempered
from transfer.training.recipe import Examples

Floats = NDArray[np.float32]


def distillation_examples(
    taught: Tokens, said: Floats, labelled: Tokens, targets: Floats, *, temperature: float, label_share: float
) -> Examples:
    """Training data whose cross-entropy differs from the divergence KL(teacher, pupil) by a constant only.

    said: the teacher's probabilities of the taught texts, (N, K), rows sum to 1. labelled, targets: texts that people
    labelled, and their distributions, (M, K). temperature: positive; teacher and pupil are both
    divided by it on taught texts, which then weigh its square, so that their gradients keep their size.
    label_share: of the loss that is on labelled texts, in [0, 1); 0 leaves them out.
    Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015, arXiv 1503.02531), section 2.
    """
    soft = tempered(said, temperature).astype(np.float32)
    weights = np.full(len(soft), (1 - label_share) * temperature**2 / max(len(soft), 1))
    heat = np.full(len(soft), temperature, dtype=np.float32)
    if label_share == 0 or not len(targets):
        return Examples(taught, soft, _mean_one(weights), temperatures=heat if temperature != 1 else None)
    return Examples(
        join(taught, labelled),
        np.concatenate([soft, targets]),
        _mean_one(np.concatenate([weights, np.full(len(targets), label_share / len(targets))])),
        temperatures=np.concatenate([heat, np.ones(len(targets), dtype=np.float32)]) if temperature != 1 else None,
    )


def _mean_one(weights: NDArray[np.float64]) -> Floats:
    return np.asarray(weights / weights.mean(), dtype=np.float32)
