"""A label and its probability from an LLM's written answer.

Strict: a sentence, two labels or an apology is no label. What is not known stays unknown.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Share of the labels' probability that may lie on tokens which begin several labels ("s" of sadness and surprise).
AMBIGUOUS_SHARE = 0.01
# What decoding leaves of a token that is a part of a character, as tokens of Korean can be.
PART = "\ufffd"


@dataclass(frozen=True)
class Alternatives:
    """One position of an answer: the token written, and the likeliest tokens there with their log-probabilities."""

    token: str
    likeliest: tuple[tuple[str, float], ...]


def word(text: str) -> str:
    """A text as labels are compared: NFC, case folded, without white space and punctuation around it."""
    text = unicodedata.normalize("NFC", text).casefold()
    ends = [i for i, character in enumerate(text) if unicodedata.category(character)[0] not in "PSZC"]
    return text[ends[0] : ends[-1] + 1] if ends else ""


def spellings(labels: Sequence[str], names: Sequence[str]) -> list[frozenset[str]]:
    """The words that count as each label in an answer: its name in the prompt, and the label itself."""
    return [frozenset({word(name), word(label)} - {""}) for label, name in zip(labels, names, strict=True)]


def read_label(answer: str, spelled: Sequence[frozenset[str]]) -> int | None:
    """Index of the one label that the answer is, word for word; None where it is anything else."""
    given = word(answer)
    found = [i for i, words in enumerate(spelled) if given in words]
    return found[0] if len(found) == 1 else None


def distribution(positions: Sequence[Alternatives], spelled: Sequence[frozenset[str]]) -> tuple[float, ...] | None:
    """Probability of each label, from the tokens that could have begun the answer; sums to 1.

    A token counts for a label that it is, or begins. A label that is not among the listed tokens gets the most that it
    can have: no more than the least likely token listed, nor than its part of what the list leaves over.
    None, that is unknown, where nothing is listed but the written token, no label is, or several labels begin
    with the same token, or one with a part of a character, and that token matters.
    """
    likeliest = next((at.likeliest for at in positions if word(at.token) or PART in at.token), ())
    if len(likeliest) < 2:
        return None
    mass, ambiguous = [0.0] * len(spelled), 0.0
    for token, log_probability in likeliest:
        owners = _owners(word(token), spelled)
        if len(owners) == 1 and PART not in token:
            mass[owners[0]] += math.exp(log_probability)
        elif owners or PART in token:
            ambiguous += math.exp(log_probability)
    if sum(mass) <= 0 or ambiguous > AMBIGUOUS_SHARE * sum(mass):
        return None
    return _with_unlisted(mass, [math.exp(log_probability) for _, log_probability in likeliest])


def _owners(token: str, spelled: Sequence[frozenset[str]]) -> list[int]:
    if not token:
        return []
    return [i for i, words in enumerate(spelled) if any(spelling.startswith(token) for spelling in words)]


def _with_unlisted(mass: Sequence[float], listed: Sequence[float]) -> tuple[float, ...]:
    unlisted = sum(1 for m in mass if m == 0)
    most = min(*listed, max(1 - sum(listed), 0.0) / unlisted) if unlisted else 0.0
    filled = [m if m > 0 else most for m in mass]
    return tuple(m / sum(filled) for m in filled)
