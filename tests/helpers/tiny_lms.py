"""Tiny causal LMs with random weights, and tokenizers of two habits, saved as folders that transformers loads."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

SPECIAL = ["<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[INST]"]
TEMPLATE = (
    "{{ bos_token }}{% for turn in messages %}<start_of_turn>{{ turn['role'] }}\n{{ turn['content'] | trim }}"
    "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
SENTENCES = [
    "Emotion: anger",
    "Emotion: sadness",
    "Emotion: neutral",
    "Emotion: happiness",
    "감정: 분노",
    "감정: 행복",
    "이 영화 정말 최고예요",
    "what a lovely day",
]
# Weights this wide make attention uneven, so that a wrong mask or position shows in the answer.
WIDE = 0.6


def save_lm(folder: Path, kind: str, *, chat: bool, joins: bool = False) -> Path:
    """A folder with a model of `kind` and a tokenizer; with `joins` one that joins tokens over spaces and colons."""
    tokenizer = make_tokenizer(chat=chat, joins=joins)
    torch.manual_seed(0)
    model = make_model(kind, len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer(*, chat: bool, joins: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with the special tokens above."""
    tokenizer = Tokenizer(models.BPE())
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not joins)
    tokenizer.pre_tokenizer = pieces
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    wrapped: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        additional_special_tokens=SPECIAL[3:],
    )
    if chat:
        wrapped.chat_template = TEMPLATE
    return wrapped


def make_model(kind: str, words: int) -> PreTrainedModel:
    """A model of two or four narrow layers; Gemma's sliding window is 16 tokens, far shorter than a prompt."""
    small: dict[str, Any] = {"vocab_size": words, "initializer_range": WIDE, "bos_token_id": 1, "eos_token_id": 2}
    heads: dict[str, Any] = {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    if kind == "gemma3":
        window = ["sliding_attention", "full_attention"] * 2
        return Gemma3ForCausalLM(
            Gemma3TextConfig(
                **small, **heads, intermediate_size=64, num_hidden_layers=4, sliding_window=16, layer_types=window,
                max_position_embeddings=2048, query_pre_attn_scalar=8,
            )
        )  # fmt: skip
    if kind == "llama":
        return LlamaForCausalLM(
            LlamaConfig(**small, **heads, intermediate_size=64, num_hidden_layers=2, max_position_embeddings=2048)
        )
    if kind == "gpt2":
        return GPT2LMHeadModel(GPT2Config(**small, n_embd=32, n_head=4, n_layer=2, n_positions=1024))
    if kind == "bloom":
        return BloomForCausalLM(BloomConfig(**small, hidden_size=32, n_head=4, n_layer=2))
    return MambaForCausalLM(MambaConfig(**small, hidden_size=32, state_size=4, num_hidden_layers=2))
