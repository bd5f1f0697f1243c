"""What typing and platforms do to a comment: typos, lost spaces, lengthened letters, mentions, links, HTML entities."""

import random
import re

# how often each happens to a comment; rough shares of what public comment sections show
_TYPO, _LOST_SPACE, _LENGTHENED, _MENTION, _LINK, _ENTITY, _SHOUT = 0.12, 0.12, 0.2, 0.04, 0.015, 0.02, 0.04
_LAUGHS = re.compile(r"([ㅋㅎㅠㅜ])\1+")
_LAST_WORD = re.compile(r"([a-z]+)([^a-z]*)$")
_LAST_SYLLABLE = re.compile(r"([가-힣])([^가-힣]*)$")
_HANGUL, _VOWELS, _FINALS, _SILENT = 0xAC00, 21, 28, 11  # first syllable; vowels; finals; the number of silent ㅇ
# what lasts of a vowel that begins with a glide, by number: ㅑ ㅏ, ㅒ ㅐ, ㅕ ㅓ, ㅖ ㅔ, ㅘ ㅏ, ㅛ ㅗ, ㅠ ㅜ
_LASTING = {2: 0, 3: 1, 6: 4, 7: 5, 9: 0, 12: 8, 17: 13}
_MISSPELT = [
    ("돼", "되"),
    ("네", "내"),
    ("게", "개"),
    ("왜", "외"),
    ("이네", "이누"),
    ("됐", "됬"),
    ("했", "햇"),
    ("았", "앗"),
    ("없", "업"),
    ("같", "갓"),
    ("진짜", "진쨔"),
    ("너무", "넘"),
]


def add_noise(text: str, language: str, rng: random.Random) -> str:
    """`text` as somebody typed it. language: "ko" or "en". The feeling in it is unchanged."""
    changes = [
        (_TYPO, _misspell if language == "ko" else _swap_letters),
        (_LOST_SPACE, _lose_space),
        (_LENGTHENED, _lengthen),
        (_SHOUT, _shout),
        (_ENTITY, _escape),
        (_MENTION, _mention),
        (_LINK, _link),
    ]
    for share, change in changes:
        if rng.random() < share:
            text = change(text, rng)
    return text


def _misspell(text: str, rng: random.Random) -> str:
    fitting = [pair for pair in _MISSPELT if pair[0] in text]
    return text.replace(*rng.choice(fitting), 1) if fitting else text


def _swap_letters(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if long:
        i = rng.choice(long)
        at = rng.randrange(1, len(words[i]) - 1)
        word = words[i]
        words[i] = rng.choice([word[:at] + word[at + 1 :], word[:at] + word[at + 1] + word[at] + word[at + 2 :]])
    return " ".join(words)


def _lose_space(text: str, rng: random.Random) -> str:
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    at = rng.choice(spaces)
    return text[:at] + text[at + 1 :]


def _lengthen(text: str, rng: random.Random) -> str:
    """Longer laughs and sobs where there are some, else a longer last sound: 좋다아아, bangerrr."""
    times = rng.randint(2, 5)
    longer = _LAUGHS.sub(lambda match: match.group(1) * 2 * times, text)
    if longer != text:
        return longer
    longer = _LAST_SYLLABLE.sub(lambda match: match[1] + _echo(match[1]) * (times // 2) + match[2], text)
    return _LAST_WORD.sub(lambda match: match[1] + match[1][-1] * times + match[2], longer)


def _echo(syllable: str) -> str:
    """The vowel of an open Hangul syllable as a syllable of its own; nothing for a closed one."""
    before, final = divmod(ord(syllable) - _HANGUL, _FINALS)
    vowel = _LASTING.get(before % _VOWELS, before % _VOWELS)
    return "" if final else chr(_HANGUL + (_SILENT * _VOWELS + vowel) * _FINALS)


def _shout(text: str, rng: random.Random) -> str:
    return text.upper() if text.isascii() else text + rng.choice(["!!", "!!!", "..", "~~", "?"])


def _escape(text: str, rng: random.Random) -> str:
    word = rng.choice(text.split(" "))
    return text.replace(word, f"&quot;{word}&quot;", 1)


def _mention(text: str, rng: random.Random) -> str:
    return f"@user{rng.randint(100, 9999)} {text}"


def _link(text: str, rng: random.Random) -> str:
    return f"{text} https://example.com/watch?v={rng.randrange(16**6):06x}"
