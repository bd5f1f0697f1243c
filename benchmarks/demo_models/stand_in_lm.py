"""A tiny Gemma that stands in for the LLM: trained on diary lines and reviews, with the labeller's own prompt.

It has never seen a comment, so its labels err where its training texts end. It is a simulation, and no oracle.
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

from benchmarks.demo_models.pretraining_texts import augmented
from benchmarks.demo_models.tiny_tokenizers import byte_level, wrapped
from benchmarks.demo_models.training_loop import TrainingSettings, train
from stages.demo.corpus import LABELS, Row
from stages.demo.make_demo import LABEL_NAMES
from transfer.labellers.local.label_likelihood import common_length
from transfer.labellers.local.label_tokenization import LabelTokenization
from transfer.labellers.prompt import PromptSettings, label_names, render

_PAD, _END, _START, _UNKNOWN = "<pad>", "<eos>", "<bos>", "<unk>"
_LAYERS, _HEAD_WIDTH, _CONTEXT = 2, 32, 1_024
_WINDOW = 32  # tokens that the local layer sees: a comment and the cue, not the long instruction before them
_INITIAL_SPREAD = 0.1  # of the weights: with the usual 0.02 so narrow a model takes many steps to begin to learn
_PROMPT_REPEATS = 200  # of the prompt in the tokenizer's texts, so that its words become tokens of their own
TRAINING = TrainingSettings(steps=400, batch=64, learning_rate=2e-3, seed=13)


def prompt_settings(language: str) -> PromptSettings:
    """The prompt of a demo's plan. language: "ko" or "en"."""
    return PromptSettings(language=cast(Literal["ko", "en"], language), names=LABEL_NAMES[language])


def make_stand_in(
    diary: Sequence[Row], language: str, folder: Path, training: TrainingSettings, *, vocabulary: int, hidden: int
) -> None:
    """Trains a tokenizer and a Gemma on `diary` and writes both into `folder`.

    It learns to answer the prompt of `prompt_settings` with a label's name, and nothing else. vocabulary: tokens.
    hidden: width, a multiple of 32. The same arguments give the same weights on the same machine.
    """
    settings = prompt_settings(language)
    # the stream's name decides the weights: with another one the demo's figures would change
    rows = augmented(diary, language, random.Random(f"{training.seed} {language} upbringing"))
    tokenizer = _tokenizer([row.text for row in rows], settings, vocabulary)
    torch.manual_seed(training.seed)
    model = Gemma3ForCausalLM(_config(tokenizer, hidden))
    prefix, examples, longest = _examples(rows, LabelTokenization(tokenizer, settings, LABELS))

    def loss(batch: Tensor, attended: Tensor) -> Tensor:
        return _loss(model, prefix, batch, attended, longest)

    train(model, examples, tokenizer.pad_token_id, loss, training)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _examples(rows: Sequence[Row], tokenization: LabelTokenization) -> tuple[Tensor, list[list[int]], int]:
    """The prefix of all prompts, (P,) int64; the rest of each with its answer; and tokens of the longest answer."""
    prompts = tokenization.prompts([row.text for row in rows])
    shared = min(common_length(prompts[0], prompt) for prompt in prompts)
    answers = dict(zip(LABELS, tokenization.labels, strict=True))
    examples = [[*prompt[shared:], *answers[row.label]] for prompt, row in zip(prompts, rows, strict=True)]
    return torch.tensor(prompts[0][:shared]), examples, max(map(len, tokenization.labels))


def _loss(model: Gemma3ForCausalLM, prefix: Tensor, batch: Tensor, attended: Tensor, last: int) -> Tensor:
    """Cross-entropy of the last `last` tokens of each row, which hold the label.

    The prefix, (P,), is the same for all rows, so it is read once and its keys and values are shared by all rows,
    gradients included.
    """
    rows = len(batch)
    cache = DynamicCache()
    model.model(input_ids=prefix[None], past_key_values=cache, use_cache=True)
    layers: list[Any] = cache.layers
    for layer in layers:
        layer.keys, layer.values = (state.expand(rows, -1, -1, -1) for state in (layer.keys, layer.values))
    seen = torch.cat([attended.new_ones(rows, len(prefix)), attended], dim=1)
    hidden = model.model(input_ids=batch, attention_mask=seen, past_key_values=cache).last_hidden_state
    ends = attended.sum(dim=1, keepdim=True) - last + torch.arange(last)  # (B, last)
    before = hidden.gather(1, (ends - 1)[..., None].expand(-1, -1, hidden.shape[-1]))  # (B, last, H)
    return cross_entropy(model.lm_head(before).flatten(0, 1), batch.gather(1, ends).flatten())


def _tokenizer(texts: Sequence[str], settings: PromptSettings, size: int) -> PreTrainedTokenizerFast:
    question = render(settings, LABELS, "")
    answers = [f"{question} {name}" for name in label_names(settings, LABELS)]
    special = [_PAD, _END, _START, _UNKNOWN]
    tokenizer = byte_level([*texts, *answers * _PROMPT_REPEATS], size, special)
    start = (_START, tokenizer.token_to_id(_START))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A", pair=f"{_START} $A {_START} $B", special_tokens=[start]
    )
    return wrapped(tokenizer, longest=_CONTEXT, pad_token=_PAD, eos_token=_END, bos_token=_START, unk_token=_UNKNOWN)


def _config(tokenizer: PreTrainedTokenizerFast, hidden: int) -> Gemma3TextConfig:
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
        initializer_range=_INITIAL_SPREAD,
        layer_types=["sliding_attention", "full_attention"],
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
