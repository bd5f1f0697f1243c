"""What stage two is judged by: gold's tune half, or without gold pseudo-labels that nothing learns from."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Sampled

# Without gold, this share of the pseudo-labels is held out to choose by.
HELD_OUT = 0.15
NO_GOLD = (
    "without gold, trials are chosen by held-out pseudo-labels. "
    "That shows how well the labeller is learnt, not how right it is: whether stage two reads the comments better "
    "than stage one cannot be said. A few hundred comments labelled by people would tell: moodline annotate"
)


@dataclass(frozen=True)
class SelectionSplit:
    """Comments that stage two is judged on. source: "gold" (its tune half) or "pseudo-labels" (held out)."""

    texts: list[str]
    truth: NDArray[np.int64]
    source: str


def target_of(gold: Gold | None, pseudo: Sampled) -> tuple[SelectionSplit, Sampled]:
    """What to choose by, and the pseudo-labels that are left to learn from."""
    if gold is not None:
        return SelectionSplit(gold.tune.texts, gold.tune.labels, "gold"), pseudo
    # by each key's own hash: a larger sample moves no text from one side to the other
    held = np.array([_is_held_out(key) for key in pseudo.keys], dtype=bool)
    apart = _chosen(pseudo, held)
    return SelectionSplit(apart.texts, apart.label, "pseudo-labels"), _chosen(pseudo, ~held)


def _is_held_out(key: str) -> bool:
    return int(hashlib.blake2b(key.encode(), digest_size=4).hexdigest(), 16) / 2**32 < HELD_OUT


def _chosen(pseudo: Sampled, mask: NDArray[np.bool_]) -> Sampled:
    picked = np.flatnonzero(mask)
    keys, texts = [pseudo.keys[i] for i in picked], [pseudo.texts[i] for i in picked]
    return Sampled(keys, texts, pseudo.label[picked], pseudo.probabilities[picked])
