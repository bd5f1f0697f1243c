"""Stage two's training data: pseudo-labelled comments and original data, mixed by the trial's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.encoding import Tokens, join
from transfer.finetune import Examples


@dataclass(frozen=True)
class PseudoLabelled:
    """Comments with a labeller's answers. label: (N,) int64, the likeliest.

    probabilities: (N, K) float32, rows sum to 1, or NaN in all of a row whose confidence is unknown.
    """

    tokens: Tokens
    label: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def mix(original: Examples, pseudo: PseudoLabelled, params: Mapping[str, Any], seed: int) -> Examples:
    """Training data with `pseudo_share` of its weight on pseudo-labels and the rest on original data.

    params: confidence, the least probability of the likeliest label for a comment to be learnt from (one whose
    confidence is unknown stays in: the threshold cannot judge it); label_softness from 0, the likeliest label alone,
    to 1, the labeller's whole distribution; pseudo_share in [0, 1].
    The original data is drawn anew from `seed` down to its share, so that an epoch's length follows the
    pseudo-labels; where one side is too small for the share, weights make up for it. The original examples' own
    weights keep their proportions. Where no pseudo-label passes the threshold, what is left is the original data.
    Returns examples whose weights have mean 1, pseudo-labels first.
    """
    chosen = np.flatnonzero(_confident(pseudo, float(params["confidence"])))
    share = float(params["pseudo_share"]) if len(chosen) else 0.0
    n_original = _original_rows(len(chosen), len(original), share)
    drawn = np.sort(np.random.default_rng([seed, 2]).permutation(len(original))[:n_original])
    chosen = chosen if share > 0 else chosen[:0]
    targets = np.concatenate([_targets(pseudo, chosen, float(params["label_softness"])), original.targets[drawn]])
    weights = _weights(len(chosen), original.weights[drawn], share)
    return Examples(join(pseudo.tokens.take(chosen), original.tokens.take(drawn)), targets, weights)


def _confident(pseudo: PseudoLabelled, threshold: float) -> NDArray[np.bool_]:
    likeliest = pseudo.probabilities.max(axis=1)
    passes: NDArray[np.bool_] = np.isnan(likeliest) | (likeliest >= threshold)
    return passes


def _original_rows(n_pseudo: int, n_original: int, share: float) -> int:
    if share >= 1:
        return 0
    return n_original if share <= 0 else min(n_original, max(round(n_pseudo * (1 - share) / share), 1))


def _weights(n_pseudo: int, original: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """(N,) with mean 1: `share` of their sum on the pseudo-labels, equally, the rest on `original` as it stands."""
    if not len(original):
        share = 1.0
    total = n_pseudo + len(original)
    pseudo = np.full(n_pseudo, share * total / max(n_pseudo, 1))
    rest = original * ((1 - share) * total / max(float(original.sum()), 1e-12))
    return np.concatenate([pseudo, rest]).astype(np.float32)


def _targets(pseudo: PseudoLabelled, rows: NDArray[np.int64], softness: float) -> NDArray[np.float32]:
    hard = np.eye(pseudo.probabilities.shape[1], dtype=np.float32)[pseudo.label[rows]]
    soft = np.where(np.isnan(pseudo.probabilities[rows]), hard, pseudo.probabilities[rows])
    mixed: NDArray[np.float32] = ((1 - softness) * hard + softness * soft).astype(np.float32)
    return mixed
