"""A tiny Gemma that stands in for the LLM: raised on diary lines and reviews, asked with the labeller's own prompt.

It has never seen a comment, so its labels err where its upbringing ends. It is a simulation, and no oracle.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
from tokenizers import processors
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache, Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from stages.demo.corpus import LABELS, Row
from stages.demo.demo_size import Size
from stages.demo.pretraining import Pretraining, train
from stages.demo.text_augmentation import unsettled
from stages.demo.tiny_tokenizers import byte_level, wrapped
from transfer.labellers.label_likelihood import common_length
from transfer.labellers.label_tokenization import LabelTokenization
from transfer.labellers.prompt import PromptSettings, label_names, render

# what the prompt calls the labels
NAMES = {
    "ko": {"anger": "분노", "sadness": "슬픔", "neutral": "중립", "happiness": "행복"},
    "en": {label: label for label in LABELS},
}
_PAD, _END, _START, _UNKNOWN = "<pad>", "<eos>", "<bos>", "<unk>"
_LAYERS, _HEAD_WIDTH, _CONTEXT = 2, 32, 1_024
_WINDOW = 32  # tokens that the local layer sees: a comment and the cue, not the long instruction before them
_BLANK_SPREAD = 0.1  # of a blank model's weights: from the usual 0.02 so narrow a model takes many steps to start
_LEARNING_RATE = 2e-3
_PROMPT_WORDS = 200  # how often the tokenizer meets the prompt, so that its words become tokens of their own


def prompt_settings(language: str) -> PromptSettings:
    """The prompt of a world's plan. language: "ko" or "en"."""
    return PromptSettings(language=cast(Literal["ko", "en"], language), names=NAMES[language])


def make_llm(diary: Sequence[Row], language: str, folder: Path, seed: int, size: Size) -> None:
    """Trains a tokenizer and a Gemma on `diary` and writes both into `folder`.

    It learns to answer the prompt of `prompt_settings` with a label's name, and nothing else.
    """
    settings = prompt_settings(language)
    rows = unsettled(diary, language, random.Random(f"{seed} {language} upbringing"))
    tokenizer = _tokenizer([row.text for row in rows], settings, size.vocabulary)
    torch.manual_seed(seed)
    model = Gemma3ForCausalLM(_shape(tokenizer, size.hidden))
    beginning, lessons, longest = _lessons(rows, LabelTokenization(tokenizer, settings, LABELS))

    def loss(batch: Tensor, attended: Tensor) -> Tensor:
        return _loss(model, beginning, batch, attended, longest)

    school = Pretraining(steps=size.schooling, batch=size.batch, learning_rate=_LEARNING_RATE, seed=seed)
    train(model, lessons, tokenizer.pad_token_id, loss, school)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _lessons(rows: Sequence[Row], spelling: LabelTokenization) -> tuple[Tensor, list[list[int]], int]:
    """What all prompts begin with, (P,) int64; the rest of each with its answer; and tokens of the longest answer."""
    prompts = spelling.prompts([row.text for row in rows])
    shared = min(common_length(prompts[0], prompt) for prompt in prompts)
    answers = dict(zip(LABELS, spelling.labels, strict=True))
    lessons = [[*prompt[shared:], *answers[row.label]] for prompt, row in zip(prompts, rows, strict=True)]
    return torch.tensor(prompts[0][:shared]), lessons, max(map(len, spelling.labels))


def _loss(model: Gemma3ForCausalLM, beginning: Tensor, batch: Tensor, attended: Tensor, last: int) -> Tensor:
    """Cross-entropy of the last `last` tokens of each row, which hold the label.

    The prompt's beginning, (P,), is the same for all rows, so it is read once and its keys and values are lent to
    each row, gradients included.
    """
    rows = len(batch)
    cache = DynamicCache()
    model.model(input_ids=beginning[None], past_key_values=cache, use_cache=True)
    lent: list[Any] = cache.layers
    for layer in lent:
        layer.keys, layer.values = (state.expand(rows, -1, -1, -1) for state in (layer.keys, layer.values))
    seen = torch.cat([attended.new_ones(rows, len(beginning)), attended], dim=1)
    hidden = model.model(input_ids=batch, attention_mask=seen, past_key_values=cache).last_hidden_state
    ends = attended.sum(dim=1, keepdim=True) - last + torch.arange(last)  # (B, last)
    before = hidden.gather(1, (ends - 1)[..., None].expand(-1, -1, hidden.shape[-1]))  # (B, last, H)
    return cross_entropy(model.lm_head(before).flatten(0, 1), batch.gather(1, ends).flatten())


def _tokenizer(texts: Sequence[str], settings: PromptSettings, size: int) -> PreTrainedTokenizerFast:
    asked = render(settings, LABELS, "")
    answers = [f"{asked} {name}" for name in label_names(settings, LABELS)]
    special = [_PAD, _END, _START, _UNKNOWN]
    tokenizer = byte_level([*texts, *answers * _PROMPT_WORDS], size, special)
    start = (_START, tokenizer.token_to_id(_START))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A", pair=f"{_START} $A {_START} $B", special_tokens=[start]
    )
    return wrapped(tokenizer, longest=_CONTEXT, pad_token=_PAD, eos_token=_END, bos_token=_START, unk_token=_UNKNOWN)


def _shape(tokenizer: PreTrainedTokenizerFast, hidden: int) -> Gemma3TextConfig:
    return Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=_LAYERS,
        num_attention_heads=max(1, hidden // _HEAD_WIDTH),
        num_key_value_heads=1,
        head_dim=_HEAD_WIDTH,
        query_pre_attn_scalar=_HEAD_WIDTH,
        max_position_embeddings=_CONTEXT,
        sliding_window=_WINDOW,
        initializer_range=_BLANK_SPREAD,
        layer_types=["sliding_attention", "full_attention"],
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
