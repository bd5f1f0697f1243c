"""Tokenizers for the demo's tiny models, trained on its own texts: WordPiece as BERT's, byte-level BPE as RoBERTa's.

Neither folds letters nor strips accents, so that Korean comes back from its tokens as it went in.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, WordPiece
from transformers import PreTrainedTokenizerFast

LONGEST = 64  # tokens of a text that the tiny encoders take
_GOES_ON = "##"  # in front of a piece that does not begin a word


def word_pieces(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of about `size` tokens with BERT's special tokens; more where the texts have very many letters."""
    pad, unknown, first, last, mask = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
    special = [pad, unknown, first, last, mask]
    tokens = [*special, *_pieces(texts, size - len(special))]
    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(tokens)}, unk_token=unknown))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=_GOES_ON)
    _begin_and_end(tokenizer, first, last)
    return wrapped(tokenizer, pad_token=pad, unk_token=unknown, cls_token=first, sep_token=last, mask_token=mask)


def _pieces(texts: Sequence[str], size: int) -> list[str]:
    """Every letter, at a word's beginning and within, then the commonest pieces of words by byte-pair merges.

    Not by tokenizers' own WordPiece trainer: it numbers letters in the order of a hash table, and so gives another
    vocabulary in each process.
    """
    merges = Tokenizer(BPE())
    merges.normalizer = normalizers.NFC()
    merges.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    merges.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, show_progress=False))
    counts: Counter[str] = Counter()
    for encoding in merges.encode_batch(texts):
        words = encoding.word_ids
        for before, word, piece in zip([None, *words], words, encoding.tokens, strict=False):
            counts[_GOES_ON + piece if word == before else piece] += 1
    letters = sorted(piece for piece in merges.get_vocab() if len(piece) == 1)
    alphabet = [*letters, *(_GOES_ON + letter for letter in letters)]
    common = sorted(counts.keys() - set(alphabet), key=lambda piece: (-counts[piece], piece))
    return [*alphabet, *common[: max(0, size - len(alphabet))]]


def byte_pairs(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of at most `size` tokens with RoBERTa's special tokens."""
    first, pad, last, unknown, mask = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
    tokenizer = byte_level(texts, size, [first, pad, last, unknown, mask])
    _begin_and_end(tokenizer, first, last)
    return wrapped(
        tokenizer,
        bos_token=first,
        cls_token=first,
        eos_token=last,
        sep_token=last,
        pad_token=pad,
        unk_token=unknown,
        mask_token=AddedToken(mask, lstrip=True),
    )


def byte_level(texts: Sequence[str], size: int, special: list[str]) -> Tokenizer:
    """A byte-level BPE tokenizer: every text comes back from its tokens, unseen letters too."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[*special], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def wrapped(tokenizer: Tokenizer, *, longest: int = LONGEST, **named: Any) -> PreTrainedTokenizerFast:
    """The tokenizer as AutoTokenizer saves and loads it. named: its special tokens, by transformers' names."""
    make: Any = PreTrainedTokenizerFast
    found: PreTrainedTokenizerFast = make(tokenizer_object=tokenizer, model_max_length=longest, **named)
    return found


def _begin_and_end(tokenizer: Tokenizer, first: str, last: str) -> None:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B {last}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
