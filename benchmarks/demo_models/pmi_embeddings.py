"""Initial word vectors: which tokens occur near each other, counted and factorised. Takes a second, not minutes."""

from collections.abc import Sequence

import torch
from torch import Tensor

_REACH = 4  # tokens to each side that count as neighbours, the nearer the more
_SMOOTHING = 0.75  # power of a context's frequency, as in word2vec: keeps rare contexts from looking informative
# Standard deviation of the entries. With a new model's 0.02 they would be lost in what the layers add; 0.3 and 0.6
# transferred equally well.
_SPREAD = 0.3


def token_vectors(ids: Sequence[Sequence[int]], vocabulary: int, width: int) -> Tensor:
    """(vocabulary, width) float32 vectors of the tokens of texts `ids`; those that never occur get 0.

    The first singular vectors of the positive pointwise mutual information between tokens and their neighbours
    (Levy and Goldberg, Neural Word Embedding as Implicit Matrix Factorization, 2014).
    """
    counts = _neighbours(ids, vocabulary)  # (V, V)
    of_token = counts.sum(dim=1, keepdim=True) + 1
    of_context = of_token.T**_SMOOTHING
    expected = of_token * of_context / of_context.sum()
    information = (counts / expected).clamp(min=1).log()
    left, strength, _ = torch.svd_lowrank(information, q=width, niter=2)
    vectors = left * strength.sqrt()
    return vectors / vectors.std() * _SPREAD


def _neighbours(ids: Sequence[Sequence[int]], vocabulary: int) -> Tensor:
    """How often two tokens are neighbours in a text, weighted by distance; (V, V) float32, symmetric."""
    flat = torch.tensor([token for row in ids for token in row])
    text = torch.repeat_interleave(torch.arange(len(ids)), torch.tensor([len(row) for row in ids]))
    counts = torch.zeros(vocabulary * vocabulary)
    for distance in range(1, _REACH + 1):
        pairs = (flat[:-distance] * vocabulary + flat[distance:])[text[:-distance] == text[distance:]]
        counts += torch.bincount(pairs, minlength=vocabulary * vocabulary) / distance
    square = counts.view(vocabulary, vocabulary)
    return square + square.T
