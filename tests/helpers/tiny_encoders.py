"""Tiny encoders of several architectures with tokenizers of their own, and an easy task for them to learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    BertModel,
    PretrainedConfig,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from transfer.encoders.tokenization import encode
from transfer.training.recipe import Examples, one_hot

Encoder = Callable[[str], Path]  # a folder with a tiny encoder of that kind; see the fixture `encoder`
ARCHITECTURES = ("bert", "roberta", "electra", "distilbert")
LABELS = ("anger", "joy", "sadness")
LONGEST = 64
WIDE_MB = 16  # of save_wide_encoder's weights
MOODS = (("hate", "angry", "furious"), ("happy", "love", "fun"), ("sad", "cry", "tears"))
FILLERS = ("the", "a", "today", "my", "day", "was", "so", "very", "and", "we", "they", "it", "is", "in", "of", "this")
# Listed, for WordPieceTrainer numbers its pieces, and breaks ties between them, in another order in each process.
WORD_PARTS = ("th", "an", "fu", "to", "wa", "ha", "ve", "lo", "sa", "te", "furi", "tear")
WORD_ENDS = ("##ay", "##ry", "##day", "##is", "##ve", "##ri", "##ous", "##py", "##ppy", "##te", "##ar", "##gry")


def easy_texts(n: int, seed: int) -> tuple[list[str], NDArray[np.int64]]:
    """`n` texts of 3 to 12 words and their labels (N,): one word, or two, tells the mood."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(LABELS), n)
    texts = []
    for label in labels:
        words = [str(word) for word in rng.choice(FILLERS, rng.integers(2, 11))]
        for word in rng.choice(MOODS[label], rng.integers(1, 3)):
            words.insert(int(rng.integers(0, len(words) + 1)), str(word))
        texts.append(" ".join(words))
    return texts, labels.astype(np.int64)


def easy_examples(tokenizer: PreTrainedTokenizerBase, n: int = 48, seed: int = 0) -> Examples:
    """The easy task as a fine-tune takes it."""
    texts, labels = easy_texts(n, seed)
    return Examples(encode(texts, tokenizer, LONGEST), one_hot(labels, len(LABELS)), np.ones(n, dtype=np.float32))


def save_encoder(kind: str, folder: Path, seed: int = 0, *, with_lm_head: bool = False) -> Path:
    """A folder with an encoder of random weights, two layers of 32 units, and a tokenizer of its kind's habits.

    with_lm_head: saved as a masked language model, so that its tensors have the prefix of their architecture.
    """
    tokenizer = byte_pairs() if kind in {"roberta", "modernbert"} else word_pieces()
    config = _config(kind, tokenizer)
    torch.manual_seed(seed)
    auto = AutoModelForMaskedLM if with_lm_head else AutoModel
    auto.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    return folder


def save_wide_encoder(folder: Path) -> Path:
    """A folder with an encoder of WIDE_MB and one layer: a trial that keeps its model in memory shows by it."""
    tokenizer = word_pieces()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=8192,
        max_position_embeddings=LONGEST,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def word_pieces() -> PreTrainedTokenizerFast:
    """BERT's kind: [CLS] and [SEP] around a text; the same pieces in every process."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*FILLERS, *(word for mood in MOODS for word in mood)]
    letters = sorted(set("".join(words)))
    pieces = dict.fromkeys(
        [*special, *letters, *(f"##{letter}" for letter in letters), *WORD_PARTS, *WORD_ENDS, *words]
    )
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return _wrapped(tokenizer, *special)


def byte_pairs() -> PreTrainedTokenizerFast:
    """RoBERTa's kind: bytes, <s> and </s> around a text, and a padding token that is not number 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(easy_texts(300, 99)[0], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _wrapped(tokenizer, *special)


def bare_words() -> PreTrainedTokenizerFast:
    """A tokenizer that puts nothing around a text."""
    words = ["[PAD]", "[UNK]", *FILLERS, *(word for mood in MOODS for word in mood)]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    wrapped: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    )
    return wrapped


def _wrapped(tokenizer: Tokenizer, pad: str, unknown: str, first: str, last: str, mask: str) -> PreTrainedTokenizerFast:
    wrapped: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=LONGEST,
        pad_token=pad,
        unk_token=unknown,
        cls_token=first,
        sep_token=last,
        mask_token=mask,
    )
    return wrapped


def _config(kind: str, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    pad = int(tokenizer.pad_token_id)
    wide = {"initializer_range": 0.1}  # narrow layers need it to pass a signal on
    shape = wide | {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    if kind == "distilbert":
        shape = wide | {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    more = {"albert": {"embedding_size": 16}, "electra": {"embedding_size": 16}, "roberta": {"type_vocab_size": 1}}
    if kind == "modernbert":
        begins, ends = int(tokenizer.cls_token_id), int(tokenizer.sep_token_id)
        more[kind] = {"cls_token_id": begins, "bos_token_id": begins, "sep_token_id": ends, "eos_token_id": ends}
    positions = LONGEST + pad + 1 if kind == "roberta" else LONGEST
    config: PretrainedConfig = AutoConfig.for_model(
        kind,
        vocab_size=len(tokenizer),
        max_position_embeddings=positions,
        pad_token_id=pad,
        **shape,
        **more.get(kind, {}),
    )
    return config
