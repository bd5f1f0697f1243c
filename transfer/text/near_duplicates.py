"""Texts that differ only in what a copier changes: punctuation, digits, emoji, case, spaces, drawn-out letters."""

import hashlib
import itertools
import re
import unicodedata

from transfer.text.cleaning import URL, USER

# Fewer letters say too little: thousands write "so funny" or "최고예요" without copying one another.
LEAST = 8
_MASKS = re.compile(rf"(?<!\w){re.escape(URL)}(?!\w)|{re.escape(USER)}")


def near_key(text: str) -> int | None:
    """A signed 64-bit number, the same for near-duplicates of a cleaned text; None where it has too few letters.

    Letters alone count, folded, each run of one letter once: "Buy NOW!!! 50 % off" is "buy now... 70% offff".
    """
    folded = unicodedata.normalize("NFKC", _MASKS.sub(" ", text)).casefold()
    letters = "".join(letter for letter, _ in itertools.groupby(c for c in folded if c.isalpha()))
    if len(letters) < LEAST:
        return None
    return int.from_bytes(hashlib.blake2b(letters.encode(), digest_size=8).digest(), "little", signed=True)
