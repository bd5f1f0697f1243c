"""What a student is trained on: a teacher's probabilities of texts, and labels that people gave to others."""

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Tokens, join
from transfer.ensembling.combination import tempered
from transfer.training.recipe import Examples

Floats = NDArray[np.float32]


def distillation_examples(
    texts: Tokens, teacher: Floats, labelled: Tokens, targets: Floats, *, temperature: float, label_share: float
) -> Examples:
    """Training data whose cross-entropy differs from the divergence KL(teacher, student) by a constant only.

    texts, teacher: unlabelled texts and the teacher's probabilities of them, (N, K), rows sum to 1. labelled, targets:
    texts that people labelled, and their distributions, (M, K). temperature: positive; teacher and student are both
    divided by it on unlabelled texts, which then weigh its square, so that their gradients keep their size.
    label_share: of the loss that is on labelled texts, in [0, 1); 0 leaves them out.
    Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015, arXiv 1503.02531), section 2.
    """
    soft = tempered(teacher, temperature).astype(np.float32)
    weights = np.full(len(soft), (1 - label_share) * temperature**2 / max(len(soft), 1))
    temperatures = np.full(len(soft), temperature, dtype=np.float32)
    if label_share > 0 and len(targets):
        texts, soft = join(texts, labelled), np.concatenate([soft, targets])
        weights = np.concatenate([weights, np.full(len(targets), label_share / len(targets))])
        temperatures = np.concatenate([temperatures, np.ones(len(targets), dtype=np.float32)])
    mean_one = np.asarray(weights / weights.mean(), dtype=np.float32)
    return Examples(texts, soft, mean_one, temperatures=temperatures if temperature != 1 else None)
