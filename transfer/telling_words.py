"""Words that tell one label's texts from all others'."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from transfer.evaluate import Floats, Ints

WORD = re.compile(r"[^\W\d_]{2,}")  # letters of any script, two or more; Korean words keep their particles
PLACEHOLDERS = frozenset({"http", "user"})  # what cleaning puts for links and persons
FEWEST_TEXTS = 5  # a word of fewer texts is chance, or somebody's name
MOST_WORDS = 60
LEAST_Z = 1.645  # below, chance would do it once in twenty words


def telling_words(
    texts: Sequence[str], labels: Ints, n_labels: int, *, most: int = MOST_WORDS, fewest: int = FEWEST_TEXTS
) -> list[dict[str, float]]:
    """For each label its `most` telling words, with how strongly they tell: z-scores, largest first, from LEAST_Z on.

    texts: cleaned. labels: (N,) in [0, n_labels). A word counts once a text; those in fewer than `fewest` texts, and
    links and mentions, are left out. z is the log-odds-ratio against all other labels by its standard deviation, with
    the words of all texts as prior, so that words everyone uses tell nothing: Monroe, Colaresi and Quinn, Fightin'
    Words (2008), equations 15 to 22.
    """
    counts = [Counter[str]() for _ in range(n_labels)]
    for text, label in zip(texts, labels.tolist(), strict=True):
        counts[label].update(set(_words(text)))
    total = Counter[str]()
    for own in counts:
        total.update(own)
    words = sorted(word for word, n in total.items() if n >= fewest)
    if not words:
        return [{} for _ in range(n_labels)]
    table = np.array([[own[word] for word in words] for own in counts], dtype=np.float64)  # (K, W)
    return [_strongest(words, _z_scores(table, k), most) for k in range(n_labels)]


def _words(text: str) -> Iterator[str]:
    return (word for word in WORD.findall(text.lower()) if word not in PLACEHOLDERS)


def _z_scores(table: Floats, k: int) -> Floats:
    prior = table.sum(axis=0)
    prior = prior / prior.sum() * max(float(np.sqrt(prior.sum())), 10.0)
    own, others = table[k], table.sum(axis=0) - table[k]
    rest = prior.sum()
    odds = [np.log((n + prior) / np.maximum(n.sum() + rest - n - prior, 1e-9)) for n in (own, others)]
    spread = np.sqrt(1 / (own + prior) + 1 / (others + prior))
    return np.where(own > 0, (odds[0] - odds[1]) / spread, 0.0)  # a label without texts has no words


def _strongest(words: Sequence[str], z: Floats, most: int) -> dict[str, float]:
    order = sorted(range(len(words)), key=lambda i: (-z[i], words[i]))[:most]
    return {words[i]: float(z[i]) for i in order if z[i] >= LEAST_Z}
