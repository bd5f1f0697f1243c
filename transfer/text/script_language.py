"""The language of a comment by its script: Hangul, kana, Han or Latin letters.

That separates Korean, Japanese, Chinese and Latin scripts, but not English from French, nor Chinese from Japanese
written in Han alone; romanised Korean counts as English.
"""

import re
from collections.abc import Callable, Collection
from typing import Literal

from transfer.text.cleaning import PLACEHOLDER

Language = Literal["ko", "en", "ja", "zh"]
# Korean comments are full of Latin names and Japanese ones of Han: this share of the letters decides for the former.
ENOUGH = 0.3
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


def language_of(text: str) -> Language | Literal["other"] | None:
    """Of a cleaned text: "other" for another script, None where there are no letters, as in emoji alone."""
    text = PLACEHOLDER.sub(" ", text)
    letters = sum(character.isalpha() for character in text)
    if not letters:
        return None
    hangul, kana, han, latin = (len(script.findall(text)) for script in (_HANGUL, _KANA, _HAN, _LATIN))
    if hangul >= ENOUGH * letters:
        return "ko"
    if kana and kana + han >= ENOUGH * letters:
        return "ja"
    if han >= ENOUGH * letters:
        return "zh"
    return "en" if latin > letters / 2 else "other"


def in_languages(languages: Collection[Language] | None) -> Callable[[str], bool]:
    """Whether a text is in one of these, or has no letters; None takes every text."""
    if languages is None:
        return lambda text: True
    return lambda text: language_of(text) in {None, *languages}
