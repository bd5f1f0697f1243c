"""The last layer computed for the first token alone, where the head reads no other: most of a layer's work saved."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from transfer.cpu_kernels.attention import attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel


_CLS_ONLY: dict[type[nn.Module], type[nn.Module]] = {}  # by the class of a layer


def use_cls_only_last_layer(model: "PreTrainedModel") -> None:
    """Has the last layer give the first token's state only, (B, 1, D): to be called for models of BERT's build.

    Keys and values come from all tokens, as ever; queries, output and feed-forward from the first. The head's input
    is the same, and so are all gradients.
    """
    encoder: Any = model.base_model.encoder
    layer = encoder.layer[-1]
    kind: type[nn.Module] = type(layer)
    # Another class with another forward: a method set on the layer would hold it, and the model, in a reference cycle.
    if kind not in _CLS_ONLY:
        _CLS_ONLY[kind] = type(f"{kind.__name__}ForFirstToken", (kind,), {"forward": _forward})
    layer.__class__ = _CLS_ONLY[kind]


def _forward(
    layer: Any, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, *_: Any, **__: Any
) -> torch.Tensor:
    """(B, 1, D) of hidden states (B, T, D)."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    inner = layer.attention.self
    # shape[0], not len(): a tracer that converts the model would take the number of texts for a constant
    first = hidden_states[:, :1]
    shape = (hidden_states.shape[0], -1, inner.num_attention_heads, inner.attention_head_size)
    query = inner.query(first).view(shape).transpose(1, 2)  # (B, H, 1, D / H)
    key = inner.key(hidden_states).view(shape).transpose(1, 2)  # (B, H, T, D / H)
    value = inner.value(hidden_states).view(shape).transpose(1, 2)
    if attention_mask is not None and attention_mask.ndim == 4:
        attention_mask = attention_mask[:, :, :1]
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(inner.config._attn_implementation, attention)
    dropout = inner.dropout.p if layer.training else 0.0
    context, _ = attend(inner, query, key, value, attention_mask, dropout=dropout, scaling=inner.scaling)
    state: torch.Tensor = layer.feed_forward_chunk(
        layer.attention.output(context.reshape(first.shape[0], 1, -1), first)
    )
    return state
