"""Log-probabilities of label strings after many prompts that begin alike, from a causal LM.

The beginning that prompts share is encoded once. Its keys and values serve every prompt, and a prompt's every label.
Virtual tokens, trained embeddings in front of all else, have the token ids -1, -2, ... and are looked up separately.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

Tokens = Sequence[int]
# Layers whose whole state is keys and values by position; others (recurrent, convolutional, chunked, compressed) could
# not be shifted, and their models are scored without a cache.
SHIFTABLE = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class Shared:
    """The beginning that prompts share: P token ids, and per layer keys and values, each (H, P, D).

    layers: None where the model's state cannot be reused. virtual: (V, E) embeddings of the first V ids, which are
    virtual tokens, or None.
    """

    ids: Tokens
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...] | None
    virtual: torch.Tensor | None = None


def label_scores(
    model: "PreTrainedModel", prompts: Sequence[Tokens], labels: Sequence[Tokens], shared: Shared | None
) -> torch.Tensor:
    """Log-probability of each whole label after each prompt, (B, K) float32, on the CPU.

    prompts: B lists of token ids, none empty; labels: K lists of token ids, none empty, which follow the prompt.
    shared: from `encode_shared`; None, or one without layers, scores without a cache, row by row alike in length.
    Both agree up to rounding, and so does a prompt in any batch.
    """
    with torch.inference_mode():
        return _scores(model, prompts, labels, shared or Shared((), None)).float().cpu()


def traced_scores(
    model: "PreTrainedModel",
    prompts: Sequence[Tokens],
    labels: Sequence[Tokens],
    ids: Tokens,
    virtual: torch.Tensor | None = None,
) -> torch.Tensor:
    """label_scores for training, (B, K) float32 on the model's device: gradients pass through all of it, the shared
    beginning `ids` included. virtual: as in `encode_shared`."""
    return _scores(model, prompts, labels, _encoded(model, ids, virtual)).float()


def encode_shared(model: "PreTrainedModel", ids: Tokens, virtual: torch.Tensor | None = None) -> Shared:
    """The keys and values of the beginning `ids`. virtual: (V, E), put in front of it and of every prompt."""
    with torch.inference_mode():
        return _encoded(model, ids, virtual)


def _encoded(model: "PreTrainedModel", ids: Tokens, virtual: torch.Tensor | None) -> Shared:
    ids = [*_virtual_ids(virtual), *ids]
    if not reuses_cache(model):
        return Shared(ids, None, virtual)
    if not ids:
        return Shared(ids, ())
    cache = DynamicCache()
    row = torch.tensor([ids], device=model.device)
    _forward(model, row, 1, virtual=virtual, past_key_values=cache, use_cache=True)
    states: Any = cache  # iterating gives each layer's keys and values, (1, H, P, D)
    return Shared(ids, tuple((keys[0], values[0]) for keys, values, *_ in states), virtual)


def _virtual_ids(virtual: torch.Tensor | None) -> list[int]:
    return [] if virtual is None else [-1 - i for i in range(len(virtual))]


def reuses_cache(model: "PreTrainedModel") -> bool:
    """Whether a model's whole state after a text is keys and values by position."""
    config: PretrainedConfig = model.config.get_text_config(decoder=True)
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    chunked = getattr(config, "attention_chunk_size", None) is not None
    stateful = getattr(model, "_is_stateful", False)
    return kinds <= SHIFTABLE and not (chunked or stateful)


def common_length(one: Tokens, other: Tokens) -> int:
    """How many tokens two lists share from their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _scores(
    model: "PreTrainedModel", prompts: Sequence[Tokens], labels: Sequence[Tokens], shared: Shared
) -> torch.Tensor:
    front = _virtual_ids(shared.virtual)
    prompts = [[*front, *prompt] for prompt in prompts] if front else prompts
    score = _plain_scores if shared.layers is None else _cached
    return score(model, prompts, labels, shared)


def _cached(
    model: "PreTrainedModel", prompts: Sequence[Tokens], labels: Sequence[Tokens], shared: Shared
) -> torch.Tensor:
    """Prompts padded on the left, so that all end in the last column and positions keep their distances.

    A sliding window counts columns, and padding between the shared beginning and the rest would push the beginning out
    of it. So each row's copy of the beginning is shifted right by the row's padding instead. The first columns, as many
    as all rows share tokens, come from the cache; the rest is computed.
    """
    longest = max(map(len, prompts))
    known = min(longest - 1, *(common_length(shared.ids, prompt) for prompt in prompts))
    pads = torch.tensor([longest - len(prompt) for prompt in prompts], device=model.device)  # (B,)
    rows = [[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    ids = torch.tensor(rows, device=model.device)  # (B, T)
    mask = (torch.arange(longest, device=model.device) >= pads[:, None]).long()  # (B, T)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)  # (B, T)
    cache = _shifted(shared, known, pads)
    logits = _forward(
        model,
        ids[:, known:],
        1,
        virtual=shared.virtual,
        attention_mask=mask,
        position_ids=positions[:, known:],
        past_key_values=cache,
        use_cache=True,
    )  # (B, 1, V)
    scores = [_log_probabilities(logits, label[:1]) for label in labels]
    for k, label in enumerate(labels):
        if len(label) > 1:
            scores[k] = scores[k] + _continued(model, label, cache, mask, positions[:, -1:])
    return torch.stack(scores, dim=1)


def _continued(
    model: "PreTrainedModel", label: Tokens, cache: DynamicCache, mask: torch.Tensor, last: torch.Tensor
) -> torch.Tensor:
    """Log-probability, (B,), of a label's tokens after its first; the cache stays as it was."""
    n = len(label) - 1
    ids = torch.tensor([list(label[:-1])], device=mask.device).expand(len(mask), -1)  # (B, n)
    branch = copy.copy(cache)
    branch.layers = [copy.copy(layer) for layer in cache.layers]  # tensors are shared: a layer grows by a new one
    logits = _forward(
        model,
        ids,
        n,
        attention_mask=torch.cat([mask, mask.new_ones(len(mask), n)], dim=1),
        position_ids=last + 1 + torch.arange(n, device=mask.device),
        past_key_values=branch,
        use_cache=True,
    )  # (B, n, V)
    return _log_probabilities(logits, label[1:])


def _shifted(shared: Shared, known: int, pads: torch.Tensor) -> DynamicCache:
    """The first `known` columns of B rows, each the shared beginning shifted right by its padding.

    A cache without a configuration keeps every position in every layer, also in sliding ones, whose mask then
    does the sliding. Keys carry their position already, so shifting them changes nothing but their column.
    """
    cache = DynamicCache()
    if known == 0:
        return cache
    columns = (torch.arange(known, device=pads.device) - pads[:, None]).clamp(min=0)  # (B, known)
    for i, (keys, values) in enumerate(shared.layers or ()):
        cache.update(keys[:, columns].transpose(0, 1), values[:, columns].transpose(0, 1), i)  # (B, H, known, D)
    return cache


def _plain_scores(
    model: "PreTrainedModel", prompts: Sequence[Tokens], labels: Sequence[Tokens], shared: Shared
) -> torch.Tensor:
    """Each prompt with each label in full; prompts of one length together, so that nothing is padded."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    scores = torch.empty(len(prompts), len(labels))
    for _, alike in groupby(order, key=lambda i: len(prompts[i])):
        rows = list(alike)
        for k, label in enumerate(labels):
            ids = torch.tensor([[*prompts[i], *label[:-1]] for i in rows], device=model.device)
            logits = _forward(model, ids, len(label), virtual=shared.virtual, use_cache=False)
            scores[rows, k] = _log_probabilities(logits, label).float().cpu()
    return scores


def _log_probabilities(logits: torch.Tensor, tokens: Tokens) -> torch.Tensor:
    """Summed log-probability, (B,), of `tokens` at the positions of logits (B, len(tokens), V)."""
    logits = logits.float()
    index = torch.tensor(list(tokens), device=logits.device).expand(len(logits), -1).unsqueeze(-1)
    return (logits.gather(-1, index).squeeze(-1) - logits.logsumexp(-1)).sum(-1)


def _forward(
    model: "PreTrainedModel", ids: torch.Tensor, last: int, *, virtual: torch.Tensor | None = None, **given: Any
) -> torch.Tensor:
    """Logits of the last `last` positions, (B, last, V). Arguments that the architecture does not take are left out."""
    takes = inspect.signature(model.forward).parameters
    given["logits_to_keep"] = last  # the whole of Gemma's 262,144 logits per token would not fit
    given = {name: value for name, value in given.items() if name in takes}
    inputs = {"input_ids": ids} if virtual is None else {"inputs_embeds": _embedded(model, ids, virtual)}
    logits: torch.Tensor = model(**inputs, **given).logits
    return logits[:, -last:]


def _embedded(model: "PreTrainedModel", ids: torch.Tensor, virtual: torch.Tensor) -> torch.Tensor:
    """(B, T, E): words by the model's own embedding, scaled as it scales them, ids below zero by `virtual`."""
    embed: Any = model.get_input_embeddings()
    words = embed(ids.clamp(min=0))
    trained = torch.nn.functional.embedding((-1 - ids).clamp(min=0), virtual.to(words.dtype))
    return torch.where((ids < 0).unsqueeze(-1), trained, words)
