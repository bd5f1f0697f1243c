"""Social-media text normalised before a model reads it, and the form by which two texts count as the same.

Everything is decided text by text and nothing is fitted, so training, labelling and inference see the same.
"""

import hashlib
import html
import re
import unicodedata

# TweetEval (Barbieri et al., Findings of EMNLP 2020) masks with these two, so encoders pretrained on such tweets
# know them; other tokenizers make one to three ordinary pieces of them, and of "[URL]" brackets and a word.
URL = "http"
USER = "@user"  # for e-mail addresses as well: both name a person
PLACEHOLDER = re.compile(rf"(?<!\w)(?:{USER}|{URL})(?!\w)")  # either of them in a cleaned text

# How programs write "no value" into a column of text. A label of the plan may still be called so.
MISSING = frozenset({"", "nan", "NaN", "<NA>", "#N/A", "null", "NULL", "None"})

KEPT_REPEATS = 3  # "soooooo" means the same as "sooo", which is more than "so"

_PICTURES = "\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_SELECTORS = "\ufe0e\ufe0f"
_TAGS = "\U000e0020-\U000e007f"

# Hangul fillers and the empty Braille cell: letters that show as nothing, posted as "empty" comments.
_BLANK = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e001f]"
)
# A selector, a joiner or a tag means something only inside an emoji: keycap, family, the flag of Wales.
_STRAY = re.compile(
    f"(?<![#*0-9\u00a9\u00ae\u2010-\u32ff{_PICTURES}])[{_SELECTORS}]"
    f"|(?<![{_PICTURES}{_SELECTORS}])\u200d|\u200d(?![{_PICTURES}])"
    f"|(?<![\U0001f3f4{_TAGS}])[{_TAGS}]+"
)
_EMOJI_PARTS = re.compile(f"[\u200d{_SELECTORS}{_TAGS}]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_ESCAPED_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#38|#[xX]26);)+")
# What exports of YouTube and of forums leave in. "<3" and "a < b" are no tags.
_TAG = re.compile(
    r"</?(?:a|b|br|div|em|i|p|s|span|strong|u)"
    r'(?:\s+[a-z-]+=(?:"[^"<>]{0,2000}"|'
    r"'[^'<>]{0,2000}'|[^\s\"'<>]{1,2000}))*\s*/?>",
    re.IGNORECASE,
)
_RUN = re.compile(rf"(\S)\1{{{KEPT_REPEATS}}}")  # whether _REPEATED could match, found three times as fast
# Left out: digits, raised and circled ones too, for a cut makes another number; and pictures, for the flag of a
# country is two letters, and a cut makes another country.
_REPEATED = re.compile(
    rf"([^\d\s\u00b2\u00b3\u00b9\u200d\u2070-\u2089\u2460-\u24ff{_SELECTORS}{_TAGS}{_PICTURES}])"
    rf"\1{{{KEPT_REPEATS},}}"
)
# ASCII only and ending in no punctuation, because Korean particles and "!!!" follow without a space.
_URL = re.compile(
    r"(?:https?://|ftp://|(?<![a-z0-9])www\."
    r"|(?<![a-z0-9.@-])(?:[a-z0-9-]{1,63}\.){1,5}(?:be|co|com|gg|gl|io|kr|ly|me|net|org|tv)/)"
    r"[!-;=?-~]*[a-z0-9/_=#&%-]",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}[@＠](?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_MENTION = re.compile(r"(?<![A-Za-z0-9_])(?:[@＠]\w+(?:[.-]\w+)*)+")


def clean(text: str) -> str:
    """The text as models read it: NFC, one line, nothing invisible, addresses masked, emoji and case kept.

    URLs become "http", mentions and e-mail addresses "@user", both set off by spaces; HTML entities are resolved
    and the common tags go; a letter, jamo or punctuation mark stands at most three times in a row, digits and emoji
    as often as they were written. Any length; "" where nothing visible is left. clean(clean(x)) == clean(x), because
    the result is a fixed point of one pass: one is not enough, as removing one thing can uncover another.
    """
    text = " ".join(text.split())
    passed = _one_pass(text)
    while passed != text:
        text, passed = passed, _one_pass(passed)
    return text


def clean_cell(text: str | None) -> str:
    """The cleaned text of a table's cell; "" where it is null, or a word for that (MISSING)."""
    return "" if text is None or text.strip() in MISSING else clean(text)


def key(text: str) -> str:
    """The form by which two cleaned texts are the same: NFKC, casefolded, without emoji selectors.

    So 'Ｇｏｏｄ ❤' is 'good ❤️'. Texts still differ by punctuation, word order and spacing between words.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("\ufe0f", "").replace("\ufe0e", "").split())


def key_hash(text: str) -> str:
    """16 hex digits (64 bits of BLAKE2b) of the key of a cleaned text: what splits and shards are compared by.

    Among 10 million different texts the chance that any two collide is about 3 in a million.
    """
    return hashlib.blake2b(key(text).encode(), digest_size=8).hexdigest()


def _one_pass(text: str) -> str:
    text = _visible(text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), _ESCAPED_AMPERSANDS.sub("&", text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if _RUN.search(text):
        text = _REPEATED.sub(r"\1" * KEPT_REPEATS, text)
    return " ".join(_masked(text).split())


def _visible(text: str) -> str:
    if not text.isprintable():  # a line break, a control character, or one of no width
        text = _INVISIBLE.sub("", text)
    if text.isascii():
        return text
    text = _BLANK.sub(" ", text)
    if _EMOJI_PARTS.search(text):
        text = _STRAY.sub("", text)
    return unicodedata.normalize("NFC", text)


def _masked(text: str) -> str:
    if "/" in text or "www." in text.lower():
        text = _URL.sub(f" {URL} ", text)
    if "@" in text or "＠" in text:
        text = _MENTION.sub(f" {USER} ", _EMAIL.sub(f" {USER} ", text))
    return text
