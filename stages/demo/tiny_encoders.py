"""Three tiny encoders, BERT, RoBERTa and ELECTRA, that have read the world's texts and none of its labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from stages.demo.demo_size import Size
from stages.demo.pmi_embeddings import token_vectors
from stages.demo.pretraining import Pretraining, train
from stages.demo.tiny_tokenizers import LONGEST, byte_pairs, word_pieces

ENCODERS = ("bert", "roberta", "electra")
_LAYERS, _HEAD_WIDTH = 2, 32
_LEARNING_RATE = 3e-3
_MASKED = 0.15


def make_encoder(kind: str, texts: Sequence[str], folder: Path, seed: int, size: Size) -> None:
    """Trains a tokenizer and a masked language model of `kind` on unlabelled `texts`; writes both into `folder`.

    kind: one of ENCODERS. The same texts, seed and size give the same weights on the same machine.
    """
    tokenizer = (byte_pairs if kind == "roberta" else word_pieces)(texts, size.vocabulary)
    torch.manual_seed(seed)
    model: Any = _blank(kind, tokenizer, size.hidden)
    ids = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(token_vectors(ids, len(tokenizer), size.hidden))

    def loss(batch: Tensor, attended: Tensor) -> Tensor:
        masked, chosen = _mask(batch, tokenizer)
        hidden = model.base_model(input_ids=masked, attention_mask=attended).last_hidden_state  # (B, T, H)
        # the vocabulary's logits for the chosen tokens only: for all of them they would cost as much as the layers
        return cross_entropy(_guess(model, hidden[chosen]), batch[chosen])

    school = Pretraining(steps=size.pretraining, batch=size.batch, learning_rate=_LEARNING_RATE, seed=seed)
    train(model, ids, tokenizer.pad_token_id, loss, school)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _blank(kind: str, tokenizer: PreTrainedTokenizerFast, hidden: int) -> PreTrainedModel:
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": max(1, hidden // _HEAD_WIDTH),
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": LONGEST,
    }
    if kind == "bert":
        return BertForMaskedLM(BertConfig(**shape))
    if kind == "electra":
        return ElectraForMaskedLM(ElectraConfig(**shape, embedding_size=hidden))
    shape["max_position_embeddings"] += tokenizer.pad_token_id + 1  # RoBERTa counts positions from there
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    return RobertaForMaskedLM(RobertaConfig(**shape, **ends, type_vocab_size=1))


def _guess(model: Any, hidden: Tensor) -> Tensor:
    """The vocabulary's logits, (M, V), of hidden states (M, H)."""
    logits: Tensor
    if isinstance(model, BertForMaskedLM):
        logits = model.cls(hidden)
    elif isinstance(model, ElectraForMaskedLM):
        logits = model.generator_lm_head(model.generator_predictions(hidden))
    else:
        logits = model.lm_head(hidden)
    return logits


def _mask(ids: Tensor, tokenizer: PreTrainedTokenizerFast) -> tuple[Tensor, Tensor]:
    """`ids` with 15 % of its tokens to be guessed, and which: 80 % of them masked, 10 % swapped, 10 % left (BERT).

    ids: (B, T) int64. Returns (B, T) int64 and (B, T) bool with at least one chosen token.
    """
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape) < _MASKED) & ~special
    if not chosen.any():
        chosen[0, 1] = True
    fate = torch.rand(ids.shape)
    random_ids = torch.randint(len(tokenizer), ids.shape)
    swapped = ids.where(fate >= 0.9, random_ids)
    fates = swapped.where(fate >= 0.8, tokenizer.mask_token_id)
    return fates.where(chosen, ids), chosen
