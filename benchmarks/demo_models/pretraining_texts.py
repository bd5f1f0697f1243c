"""What the demo's tiny models are trained on: unlabelled texts for the encoders, labelled diary lines for the LM.

The LM's texts get typos, lost words and unknown words, as comments have them. Without them it would be sure of
everything and wrong about every comment: a diary has no slang that has to be skipped.
"""

import random
import string
from collections.abc import Sequence
from pathlib import Path

from stages.demo.corpus import Corpus, Row, grammar_of, labelled_rows
from stages.demo.text_noise import add_noise
from transfer.text.cleaning import clean, key

_LOST = 0.1  # share of words left out
_UNKNOWN = 3  # most unknown words put into a text
_SENSELESS = 0.1  # texts of unknown words alone, for each with a meaning; they are neutral
_LETTERS = {"ko": (2, 4), "en": (2, 7)}  # of an unknown word, from and to


def unlabelled_texts(corpus: Corpus, language: str, seed: int) -> list[str]:
    """Formal sentences other than the original data's, and the cleaned comments except those that read like gold's."""
    formal = random.Random(f"{seed} {language} reading")
    sentences = [row.text for row in labelled_rows(grammar_of("formal", language), formal, len(corpus.original), 0.0)]
    gold = {key(clean(comment.text or "")) for comment, _ in corpus.gold}
    comments = [clean(comment.text or "") for comment in corpus.comments]
    return [*sentences, *(text for text in comments if text and key(text) not in gold)]


def diary_lines(language: str, seed: int, rows: int) -> list[Row]:
    """Diary lines, product reviews and messages between friends with their emotions; none of them is a comment."""
    grammar = grammar_of("diary", language, Path(__file__).parent)
    return labelled_rows(grammar, random.Random(f"{seed} {language} diary"), rows, 0.0)


def augmented(rows: Sequence[Row], language: str, rng: random.Random) -> list[Row]:
    """`rows` with typing noise and unknown words, and neutral rows of unknown words alone; shuffled."""
    letters = _letters(rows)
    changed = [Row(_augmented(row.text, language, letters, rng), row.label) for row in rows]
    for _ in range(round(_SENSELESS * len(rows))):
        words = [_unknown(language, letters, rng) for _ in range(rng.randint(1, 5))]
        changed.append(Row(" ".join(words), "neutral"))
    rng.shuffle(changed)
    return changed


def _letters(rows: Sequence[Row]) -> str:
    """Hangul syllables and small Latin letters as often as the rows have them."""
    return "".join(
        letter for row in rows for letter in row.text if "가" <= letter <= "힣" or letter in string.ascii_lowercase
    )


def _augmented(text: str, language: str, letters: str, rng: random.Random) -> str:
    typed = clean(add_noise(text, language, rng)).split()
    words = [word for word in typed if rng.random() >= _LOST] or typed
    for _ in range(rng.randint(0, _UNKNOWN)):
        words.insert(rng.randint(0, len(words)), _unknown(language, letters, rng))
    return " ".join(words)


def _unknown(language: str, letters: str, rng: random.Random) -> str:
    return "".join(rng.choice(letters) for _ in range(rng.randint(*_LETTERS[language])))
