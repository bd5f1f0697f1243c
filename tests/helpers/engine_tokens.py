"""Texts and tokens for engines."""

from collections.abc import Sequence

from tests.helpers.tiny_encoders import LONGEST, easy_texts
from transfer.encoders.model import load_tokenizer
from transfer.encoders.tokenization import Tokens, encode
from transfer.engines.engine_factory import Member

TEXTS = [*easy_texts(300, 3)[0], "hm", "happy " * 100]


def tokens_of(member: Member, texts: Sequence[str] = TEXTS) -> Tokens:
    return encode(texts, load_tokenizer(str(member.folder)), LONGEST)
