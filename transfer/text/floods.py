"""Floods: one message posted again and again with a number, a link or an emoji changed."""

import hashlib
import re

# Shorter ones, "lol" and "ㅋㅋㅋ", are what people say, not what one program posts.
SHORTEST = 12
_MASKS = re.compile(r"(?<!\w)(?:@user|http)(?!\w)")
_REPEATED = re.compile(r"(.)\1+")


def flood_key(key: str, text: str) -> str:
    """What near-duplicates share: a hash of a cleaned text's letters alone, in lower case, none twice in a row.

    Digits, emoji, punctuation, spaces, links and mentions do not count. `key`, the text's own, where fewer than
    SHORTEST letters are left.
    """
    letters = "".join(filter(str.isalpha, _MASKS.sub(" ", text).casefold()))
    letters = _REPEATED.sub(r"\1", letters)
    if len(letters) < SHORTEST:
        return key
    return "~" + hashlib.blake2b(letters.encode(), digest_size=8).hexdigest()
