"""Keys that near-duplicates share: texts that differ only in what a copier or a program changes.

near_key finds single copies. flood_key finds floods, one message posted again and again with a number, a link or an
emoji changed, and wants more letters. Both are stored with results, so their values stay as they are.
"""

import hashlib
import itertools
import re
import unicodedata

from transfer.text.cleaning import PLACEHOLDER, URL, USER

# Fewer letters are no evidence: thousands write "so funny" or "최고예요" without copying one another.
LEAST_LETTERS_OF_A_COPY = 8
# Shorter ones, "lol" and "ㅋㅋㅋ", are written by many people, not by one program.
LEAST_LETTERS_OF_A_FLOOD = 12
_URL_OR_USER = re.compile(rf"(?<!\w){re.escape(URL)}(?!\w)|{re.escape(USER)}")
_REPEATED = re.compile(r"(.)\1+")


def near_key(text: str) -> int | None:
    """A signed 64-bit number, the same for near-duplicates of a cleaned text; None where it has too few letters.

    Letters alone count, NFKC and case folded, each run of one letter once: "Buy NOW!!! 50 % off" is "buy now... 70%
    offff".
    """
    folded = unicodedata.normalize("NFKC", _URL_OR_USER.sub(" ", text)).casefold()
    letters = "".join(letter for letter, _ in itertools.groupby(c for c in folded if c.isalpha()))
    if len(letters) < LEAST_LETTERS_OF_A_COPY:
        return None
    return int.from_bytes(hashlib.blake2b(letters.encode(), digest_size=8).digest(), "little", signed=True)


def flood_key(key: str, text: str) -> str:
    """What the messages of a flood share: "~" and a hash of a cleaned text's letters, folded, none twice in a row.

    Digits, emoji, punctuation, spaces, links and mentions do not count. `key`, the text's own, where fewer than
    LEAST_LETTERS_OF_A_FLOOD letters are left.
    """
    letters = "".join(filter(str.isalpha, PLACEHOLDER.sub(" ", text).casefold()))
    letters = _REPEATED.sub(r"\1", letters)
    if len(letters) < LEAST_LETTERS_OF_A_FLOOD:
        return key
    return "~" + hashlib.blake2b(letters.encode(), digest_size=8).hexdigest()
