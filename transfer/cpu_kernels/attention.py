"""Attention by plain products, for training on a CPU: torch's own is slow with dropout or short texts."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from transfer.cpu_kernels.dropout import dropout_mask

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "moodline"


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Weighted means of `value`, (B, Q, H, D). query: (B, H, Q, D); key, value: (B, H, T, D).

    attention_mask: broadcasts to (B, H, Q, T); True, or 0, where a position is seen.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3))  # (B, H, Q, T)
    if attention_mask is not None:
        seen = attention_mask[..., : scores.shape[-2], : scores.shape[-1]]
        unseen = torch.finfo(scores.dtype).min
        scores = scores.masked_fill(~seen, unseen) if seen.dtype == torch.bool else scores + seen
    weights = torch.softmax(scores, dim=-1, dtype=scores.dtype)
    if dropout > 0.0:
        weights = weights * dropout_mask(weights.shape, dropout, weights.dtype)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), None


def use_cpu_attention(model: "PreTrainedModel") -> None:
    """Has `model` use `attention`, with the masks of torch's own; other arithmetic stays as it was."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)  # the configuration that is saved with a model does not name it
