"""Words that are distinctive of one label's texts against all others', and the words and emoji of a text."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from transfer.metrics.scores import Floats, Ints

WORD = re.compile(r"[^\W\d_]{2,}")  # letters of any script, two or more; Korean words keep their particles
PLACEHOLDERS = frozenset({"http", "user"})  # what cleaning puts for links and persons
FEWEST_TEXTS = 5  # a word of fewer texts is chance, or somebody's name
# Jamo alone are laughter and tears, and end the word before them: 재밌다ㅋㅋㅋ is 재밌다 and ㅋㅋ.
_PICTURE = "[\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001f5ff\U0001f600-\U0001faff]"
_SHADE = "\ufe0e\ufe0f\U0001f3fb-\U0001f3ff"  # text or picture, and five colours of skin
WORD_OR_EMOJI = re.compile(
    "[\u3131-\u318e]{2,}|[^\\W\\d_\u3131-\u318e]{2,}|[\U0001f1e6-\U0001f1ff]{2}"
    f"|{_PICTURE}[{_SHADE}]*(?:\u200d{_PICTURE}[{_SHADE}]*)*"
)
_SHADES = re.compile(f"[{_SHADE}]")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
MOST_WORDS = 60
LEAST_Z = 1.645  # below, chance would do it once in twenty words


def distinctive_words(
    texts: Sequence[str], labels: Ints, n_labels: int, *, most: int = MOST_WORDS, fewest: int = FEWEST_TEXTS
) -> list[dict[str, float]]:
    """For each label its `most` distinctive words with their z-scores, largest first, from LEAST_Z on.

    texts: cleaned. labels: (N,) in [0, n_labels). A word counts once a text; those in fewer than `fewest` texts, and
    links and mentions, are left out. z is that of log_odds against all other labels, so words that everyone uses are
    left out.
    """
    counts = [Counter[str]() for _ in range(n_labels)]
    for text, label in zip(texts, labels.tolist(), strict=True):
        counts[label].update(set(WORD.findall(text.lower())) - PLACEHOLDERS)
    total = Counter[str]()
    for own in counts:
        total.update(own)
    words = sorted(word for word, n in total.items() if n >= fewest)
    if not words:
        return [{} for _ in range(n_labels)]
    table = np.array([[own[word] for word in words] for own in counts], dtype=np.float64)  # (K, W)
    total_of = table.sum(axis=0)
    return [_strongest(words, log_odds(table[k], total_of - table[k]), most) for k in range(n_labels)]


def words_and_emoji(text: str) -> set[str]:
    """The different words of a cleaned text, in lower case, and its emoji, whatever their colour of skin.

    A letter stands twice in a row at most: ㅋㅋㅋ is ㅋㅋ, and sooo is soo. Korean words keep their
    particles, so 영화가 and 영화는 are two words. Links and mentions are none.
    """
    found = (_DRAWN_OUT.sub(r"\1\1", _SHADES.sub("", word)) for word in WORD_OR_EMOJI.findall(text.lower()))
    return {word for word in found if word and word not in PLACEHOLDERS}


def log_odds(own: Floats, others: Floats) -> Floats:
    """How surely each word is more frequent in one group of texts than in another: (W,) float64 z-scores.

    own, others: (W,), texts of either group with the word. The log-odds-ratio by its standard deviation, with the words
    of both as an informative Dirichlet prior whose weight is the root of their number: Monroe, Colaresi and Quinn,
    Fightin' Words (2008), equations 15 to 22. A word that the first group lacks has 0.
    """
    prior = own + others
    prior = prior / max(float(prior.sum()), 1.0) * max(float(np.sqrt(prior.sum())), 10.0)
    rest = prior.sum()
    odds = [np.log((n + prior) / np.maximum(n.sum() + rest - n - prior, 1e-9)) for n in (own, others)]
    spread = np.sqrt(1 / (own + prior) + 1 / (others + prior))
    return np.where(own > 0, (odds[0] - odds[1]) / spread, 0.0)


def _strongest(words: Sequence[str], z: Floats, most: int) -> dict[str, float]:
    order = sorted(range(len(words)), key=lambda i: (-z[i], words[i]))[:most]
    return {words[i]: float(z[i]) for i in order if z[i] >= LEAST_Z}
