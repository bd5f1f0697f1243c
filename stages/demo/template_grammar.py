"""Turns a page of rules into sentences: symbols, weighted lines, word lists and Korean particles.

Knows no language's words; those are in data/formal_*.txt and data/comments_*.txt.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

_SLOT = re.compile(r"\{([\w.]+)(\?)?\}")
_INLINE = re.compile(r"\[([^\[\]]*)\]")
_WEIGHT = re.compile(r"(\d+)\* ")
_PARTICLE = re.compile(r"(\w)\(([을이은과])\)")
# after a syllable that ends in a consonant : after one that ends in a vowel
_AFTER_VOWEL = {"을": "를", "이": "가", "은": "는", "과": "와"}
_FIRST_SYLLABLE, _LAST_SYLLABLE, _FINALS = 0xAC00, 0xD7A3, 28
_CLOSED_DIGITS = "013678"  # read as 영 일 삼 육 칠 팔


@dataclass(frozen=True)
class Grammar:
    """Alternatives and their cumulative weights, by symbol."""

    lines: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, tuple[int, ...]]


def parse(rules: str) -> Grammar:
    """A grammar from a page of rules; what stands before the first rule is a note to the reader.

    `= name` begins a symbol whose alternatives follow, one a line, `3* ` in front of one that counts three times;
    `= name: a, b, c` is a list of words, which may go on in another such line. In a line, `{name}` stands for a
    symbol, `{name?}` for it or nothing, and `[a|b]` for one of the words. `(을)`, `(이)`, `(은)` and `(과)` after a
    word become the particle that its last sound asks for.
    """
    lines: dict[str, list[str]] = {}
    weights: dict[str, list[int]] = {}
    name = ""
    for line in filter(None, (line.strip() for line in rules.splitlines())):
        if line.startswith("= "):
            name, _, words = line[2:].partition(":")
            name = name.strip()
            lines.setdefault(name, []).extend(word.strip() for word in words.split(",") if word.strip())
            weights[name] = [1] * len(lines[name])
        elif name:
            weight = _WEIGHT.match(line)
            lines[name].append(line[weight.end() :] if weight else line)
            weights[name].append(int(weight.group(1)) if weight else 1)
    return Grammar(
        {name: tuple(alternatives) for name, alternatives in lines.items()},
        {name: tuple(accumulate(counts)) for name, counts in weights.items()},
    )


def expand(grammar: Grammar, symbol: str, rng: random.Random, means: Mapping[str, str] | None = None) -> str:
    """One sentence of `symbol`. means: symbol -> the symbol that it stands for this time (the topic's words, say).

    Raises KeyError for a symbol that the rules do not have.
    """
    text = _fill(grammar, symbol, rng, means or {})
    text = _PARTICLE.sub(lambda match: match.group(1) + _particle(match.group(1), match.group(2)), text)
    return " ".join(text.split())


def _fill(grammar: Grammar, symbol: str, rng: random.Random, means: Mapping[str, str]) -> str:
    symbol = means.get(symbol, symbol)
    line = rng.choices(grammar.lines[symbol], cum_weights=grammar.weights[symbol])[0]
    line = _INLINE.sub(lambda match: rng.choice(match.group(1).split("|")), line)

    def filled(match: re.Match[str]) -> str:
        name, optional = match.groups()
        return "" if optional and rng.random() < 0.5 else _fill(grammar, name, rng, means)

    return _SLOT.sub(filled, line)


def _particle(before: str, particle: str) -> str:
    code = ord(before)
    if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        closed = (code - _FIRST_SYLLABLE) % _FINALS != 0
    else:
        closed = before in _CLOSED_DIGITS
    return particle if closed else _AFTER_VOWEL[particle]
