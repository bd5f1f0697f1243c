"""Stage two's training data: pseudo-labelled comments and original data, mixed by the trial's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Indices, Tokens, join
from transfer.training.recipe import MOST_CLASS_WEIGHT, Examples, Recipe

# Of a mixture's parameters.
DEFAULTS: Mapping[str, Any] = {
    "pseudo_share": 0.5,
    "pseudo_weight": 1.0,
    "confidence": 0.0,
    "confidence_by": "overall",
    "label_softness": 1.0,
    "label_temperature": 1.0,
    "rebalance": 0.0,
    "replay": "fixed",
    "epochs": Recipe.epochs,
}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PseudoLabelled:
    """Comments with a labeller's answers. label: (N,) int64, the likeliest.

    probabilities: (N, K) float32, rows sum to 1, or NaN in all of a row whose confidence is unknown.
    """

    tokens: Tokens
    label: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def mix(original: Examples, pseudo: PseudoLabelled, params: Mapping[str, Any], seed: int) -> Examples:
    """Training data with `pseudo_share` of its rows pseudo-labelled and the rest original.

    params, each as in PLAIN where it is missing:
    pseudo_share in [0, 1]; pseudo_weight, how much a pseudo-label counts in the loss, an original row counting 1.
    confidence, confidence_by: "overall", the least probability of the likeliest label for a comment to be learnt from;
    "label", the share of each label's comments, the least confident, that are left out (as in Zou et al.,
    Class-Balanced Self-Training, 2018), so that a label the labeller is seldom sure of does not vanish. A comment
    whose confidence is unknown stays in: no threshold applies to it.
    label_softness from 0, the likeliest label alone, to 1, the labeller's whole distribution; label_temperature above
    0, by which the logarithms of that distribution are divided first: below 1 it gets sharper.
    rebalance: within either source a row counts as its label's share to the power of -rebalance: 0 as they come, 1
    all labels alike, at most MOST_CLASS_WEIGHT times another. It leaves the sources' shares as they are.
    replay: "fixed", the same original rows in every epoch, or "fresh", in every epoch others as long as there are any.
    The original data is sampled by `seed` down to its share, so that an epoch's length follows the pseudo-labels;
    where one side is too small for the share, weights make up for it. The original examples' own weights keep their
    proportions. Where no pseudo-label passes the threshold, what is left is the original data.
    Returns examples, pseudo-labels first, whose weights have mean 1 over what an epoch has.
    """
    wanted = {**DEFAULTS, **params}
    kept = _confident_examples(pseudo, wanted)
    share = float(wanted["pseudo_share"]) if len(kept) else 0.0
    kept = kept if share > 0 else _take(kept, np.arange(0))
    n_original = 0 if share >= 1 else len(original)  # of an epoch
    if 0 < share < 1:
        n_original = min(n_original, max(round(len(kept) * (1 - share) / share), 1))
    epochs = _epochs(len(original), n_original, wanted, seed)
    used = np.unique(np.concatenate(epochs))
    weight = float(wanted["pseudo_weight"])
    mass = share * weight / max(share * weight + 1 - share, 1e-12)
    rest = _rebalanced(_take(original, used), wanted)
    weights = _weights(kept.weights, rest.weights, n_original, mass)
    turns = tuple(np.concatenate([np.arange(len(kept)), len(kept) + np.searchsorted(used, e)]) for e in epochs)
    return Examples(
        join(kept.tokens, rest.tokens),
        np.concatenate([kept.targets, rest.targets]),
        weights,
        turns=turns if len(epochs) > 1 else (),
    )


def single_source(
    which: Literal["original", "pseudo"],
    original: Examples,
    pseudo: PseudoLabelled,
    params: Mapping[str, Any],
    seed: int,
) -> Examples:
    """One of the two sources, in epochs as long as those of the mixture of `params`: a control with as many steps.

    An epoch has the next rows of a shuffled source, which is reshuffled when it is used up. Where no pseudo-label
    passes the threshold, all of them are taken.
    """
    wanted = {**DEFAULTS, **params}
    n = mix(original, pseudo, params, seed).per_epoch
    if which == "pseudo":
        source = _confident_examples(pseudo, wanted)
        source = source if len(source) else _confident_examples(pseudo, {**wanted, "confidence": 0.0})
    else:
        source = _rebalanced(original, wanted)
    turns = _rounds(len(source), n, int(wanted["epochs"]), np.random.default_rng([seed, 3]))
    used = np.unique(np.concatenate(turns))
    return replace(_take(source, used), turns=tuple(np.searchsorted(used, turn) for turn in turns))


def _confident_examples(pseudo: PseudoLabelled, wanted: Mapping[str, Any]) -> Examples:
    """The pseudo-labels that pass the threshold, with their targets, and weights of mean 1."""
    rows = np.flatnonzero(_confident(pseudo, float(wanted["confidence"]), str(wanted["confidence_by"])))
    targets = _targets(pseudo, rows, float(wanted["label_softness"]), float(wanted["label_temperature"]))
    return _rebalanced(Examples(pseudo.tokens.take(rows), targets, np.ones(len(rows), dtype=np.float32)), wanted)


def _take(examples: Examples, rows: Indices) -> Examples:
    return Examples(examples.tokens.take(rows), examples.targets[rows], examples.weights[rows])


def _confident(pseudo: PseudoLabelled, threshold: float, by: str) -> NDArray[np.bool_]:
    likeliest = pseudo.probabilities.max(axis=1)
    least = np.full(len(likeliest), threshold, dtype=np.float64)
    if by == "label":
        for label in np.unique(pseudo.label):
            own = pseudo.label == label
            known = likeliest[own & ~np.isnan(likeliest)]
            # of the values there are: at threshold 1 the surest row of each label stays
            least[own] = np.quantile(known, threshold, method="lower") if len(known) else 0.0
    passes: NDArray[np.bool_] = np.isnan(likeliest) | (likeliest >= least)
    return passes


def _epochs(n: int, per_epoch: int, wanted: Mapping[str, Any], seed: int) -> list[Indices]:
    """Rows of the original data for each epoch that is not like the first, ascending."""
    fixed: Indices = np.sort(np.random.default_rng([seed, 2]).permutation(n)[:per_epoch])
    if wanted["replay"] == "fixed" or per_epoch in {0, n}:
        return [fixed]
    turns = _rounds(n, per_epoch, int(wanted["epochs"]), np.random.default_rng([seed, 2]))
    return [np.sort(turn) for turn in turns]


def _rounds(n: int, per_epoch: int, epochs: int, rng: np.random.Generator) -> list[Indices]:
    """So many rows of n for each epoch, going round after round through all of them, each in an order of its own."""
    rounds = -(-per_epoch * epochs // n)
    rows = np.concatenate([rng.permutation(n) for _ in range(rounds)])
    return [rows[i * per_epoch : (i + 1) * per_epoch] for i in range(epochs)]


def _weights(
    pseudo: NDArray[np.float32], original: NDArray[np.float32], n_original: int, mass: float
) -> NDArray[np.float32]:
    """(N,) with mean 1 over an epoch, which has all of `pseudo` and `n_original` of the others: `mass` of their sum on
    the pseudo-labels, the rest on the original ones, each in the proportions given."""
    if not n_original:
        mass = 1.0
    total = len(pseudo) + n_original
    of_pseudo = pseudo.astype(np.float64) * (mass * total / max(float(pseudo.sum()), 1e-12))
    each = float(original.mean()) * n_original if n_original else 1.0
    rest = original.astype(np.float64) * ((1 - mass) * total / max(each, 1e-12))
    return np.concatenate([of_pseudo, rest]).astype(np.float32)


def _rebalanced(examples: Examples, wanted: Mapping[str, Any]) -> Examples:
    """Weights times a factor of mean 1 by each row's label, a soft target's being the mean over its labels'."""
    rebalance = float(wanted["rebalance"])
    if rebalance <= 0 or not len(examples):
        return examples
    mass: Floats = examples.targets.sum(axis=0, dtype=np.float64)
    by_label = (mass.max() / mass.clip(1e-6)).clip(max=MOST_CLASS_WEIGHT) ** rebalance
    factors: NDArray[np.float64] = examples.targets.astype(np.float64) @ by_label
    return replace(examples, weights=examples.weights * np.asarray(factors / factors.mean(), dtype=np.float32))


def _targets(pseudo: PseudoLabelled, rows: Indices, softness: float, temperature: float) -> NDArray[np.float32]:
    hard = np.eye(pseudo.probabilities.shape[1], dtype=np.float32)[pseudo.label[rows]]
    given = pseudo.probabilities[rows]
    if temperature != 1:
        powers = (given.astype(np.float64) / given.max(axis=1, keepdims=True)) ** (1 / temperature)
        given = powers / powers.sum(axis=1, keepdims=True)
    soft = np.where(np.isnan(given), hard, given)
    mixed: NDArray[np.float32] = ((1 - softness) * hard + softness * soft).astype(np.float32)
    return mixed
