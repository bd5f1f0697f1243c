"""What stage two's trials are selected by: gold's tune half, or without gold pseudo-labels that nothing trains on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Sampled

# Without gold, this share of the pseudo-labels is held out to select by.
HELD_OUT = 0.15
NO_GOLD = (
    "without gold, trials are selected by held-out pseudo-labels. "
    "They show how well a model has learned the labeller's answers, not how right those are: whether stage two "
    "classifies the comments better than stage one stays unknown. A few hundred comments labelled by people would "
    "show it: moodline annotate"
)


@dataclass(frozen=True)
class SelectionSplit:
    """Comments that stage two is evaluated on. source: "gold" (its tune half) or "pseudo-labels" (held out)."""

    texts: list[str]
    truth: NDArray[np.int64]
    source: str


def selection_split(gold: Gold | None, pseudo: Sampled) -> tuple[SelectionSplit, Sampled]:
    """What to select by, and the pseudo-labels that are left to train on."""
    if gold is not None:
        return SelectionSplit(gold.tune.texts, gold.tune.labels, "gold"), pseudo
    # by each key's own hash: a larger sample moves no text from one side to the other
    held_out = np.array([_is_held_out(key) for key in pseudo.keys], dtype=bool)
    apart = _part(pseudo, held_out)
    return SelectionSplit(apart.texts, apart.label, "pseudo-labels"), _part(pseudo, ~held_out)


def _is_held_out(key: str) -> bool:
    return int(hashlib.blake2b(key.encode(), digest_size=4).hexdigest(), 16) / 2**32 < HELD_OUT


def _part(pseudo: Sampled, mask: NDArray[np.bool_]) -> Sampled:
    rows = np.flatnonzero(mask)
    keys, texts = [pseudo.keys[i] for i in rows], [pseudo.texts[i] for i in rows]
    return Sampled(keys, texts, pseudo.label[rows], pseudo.probabilities[rows])
