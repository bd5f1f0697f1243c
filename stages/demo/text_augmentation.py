"""How the stand-in LLM's lessons are made uneven: typos, lost words and words that nobody knows, as the world has them.

Without them it would be sure of everything and wrong about every comment: a diary has no slang that it must skip.
"""

import random
import string
from collections.abc import Sequence

from stages.demo.corpus import Row
from stages.demo.text_noise import roughen
from transfer.text.cleaning import clean

_LOST = 0.1  # share of words left out
_UNKNOWN = 3  # most unknown words put into a text
_SENSELESS = 0.1  # texts of unknown words alone, for each that has sense; what says nothing is neutral
_LETTERS = {"ko": (2, 4), "en": (2, 7)}  # of an unknown word, from and to


def unsettled(rows: Sequence[Row], language: str, rng: random.Random) -> list[Row]:
    """`rows` as somebody types them, with unknown words among theirs; and neutral ones of unknown words alone."""
    letters = _letters(rows)
    lessons = [Row(_unsettle(row.text, language, letters, rng), row.label) for row in rows]
    for _ in range(round(_SENSELESS * len(rows))):
        words = [_unknown(language, letters, rng) for _ in range(rng.randint(1, 5))]
        lessons.append(Row(" ".join(words), "neutral"))
    rng.shuffle(lessons)
    return lessons


def _letters(rows: Sequence[Row]) -> str:
    """Hangul syllables and small Latin letters as often as the rows have them."""
    return "".join(
        letter for row in rows for letter in row.text if "가" <= letter <= "힣" or letter in string.ascii_lowercase
    )


def _unsettle(text: str, language: str, letters: str, rng: random.Random) -> str:
    typed = clean(roughen(text, language, rng)).split()
    words = [word for word in typed if rng.random() >= _LOST] or typed
    for _ in range(rng.randint(0, _UNKNOWN)):
        words.insert(rng.randint(0, len(words)), _unknown(language, letters, rng))
    return " ".join(words)


def _unknown(language: str, letters: str, rng: random.Random) -> str:
    return "".join(rng.choice(letters) for _ in range(rng.randint(*_LETTERS[language])))
