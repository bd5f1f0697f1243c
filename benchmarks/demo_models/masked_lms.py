"""Three tiny encoders, BERT, RoBERTa and ELECTRA, pretrained on the demo's texts without its labels."""

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

from benchmarks.demo_models.pmi_embeddings import token_vectors
from benchmarks.demo_models.tiny_tokenizers import LONGEST, byte_pairs, word_pieces
from benchmarks.demo_models.training_loop import TrainingSettings, train

ENCODERS = ("bert", "roberta", "electra")
_LAYERS, _HEAD_WIDTH = 2, 32
_MASKED = 0.15
TRAINING = TrainingSettings(steps=250, batch=64, learning_rate=3e-3, seed=13)


def make_encoder(
    kind: str, texts: Sequence[str], folder: Path, training: TrainingSettings, *, vocabulary: int, hidden: int
) -> None:
    """Trains a tokenizer and a masked language model of `kind` on unlabelled `texts`; writes both into `folder`.

    kind: one of ENCODERS. vocabulary: tokens. hidden: width, a multiple of 32. The same arguments give the same
    weights on the same machine.
    """
    tokenizer = (byte_pairs if kind == "roberta" else word_pieces)(texts, vocabulary)
    torch.manual_seed(training.seed)
    model: Any = _untrained(kind, tokenizer, hidden)
    ids = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(token_vectors(ids, len(tokenizer), hidden))

    def loss(batch: Tensor, attended: Tensor) -> Tensor:
        masked, targets = _mask(batch, tokenizer)
        states = model.base_model(input_ids=masked, attention_mask=attended).last_hidden_state  # (B, T, H)
        # the vocabulary's logits for the targets only: for all tokens they would cost as much as the layers
        return cross_entropy(_token_logits(model, states[targets]), batch[targets])

    train(model, ids, tokenizer.pad_token_id, loss, training)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _untrained(kind: str, tokenizer: PreTrainedTokenizerFast, hidden: int) -> PreTrainedModel:
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


def _token_logits(model: Any, hidden: Tensor) -> Tensor:
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
    """`ids` with 15 % of its tokens as targets, and which: 80 % of them masked, 10 % random, 10 % unchanged (BERT).

    ids: (B, T) int64. Returns (B, T) int64 and (B, T) bool with at least one target.
    """
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    targets = (torch.rand(ids.shape) < _MASKED) & ~special
    if not targets.any():
        targets[0, 1] = True
    fate = torch.rand(ids.shape)
    random_ids = torch.randint(len(tokenizer), ids.shape)
    with_random = ids.where(fate >= 0.9, random_ids)
    with_masks = with_random.where(fate >= 0.8, tokenizer.mask_token_id)
    return with_masks.where(targets, ids), targets
