"""CPU kernels for training and inference: the same mathematics for less time. All of them are switched here.

| kernel | for | speed with it |
|---|---|---|
| compact_embedding.py: only the rows of words that occur are trained | any model, any device | 1.13 |
| dropout.py: masks by numpy's SFC64 | any model, CPU | 1.14 |
| attention.py: plain products, so that dropout costs no detour | BERT's build, CPU | 1.28 with dropout.py |
| cls_only_last_layer.py: the last layer for the first token alone | BERT's build, any device | 1.26 |
| bfloat16 states between the layers, where products are in bfloat16 | BERT's build, CPU | 1.02 |

All of it: 1.48. Speed is the examples per second of processor time in training a MiniLM on one thread, as a ratio to
torch's own (docs/experiments.md, 2026-11-21). Names and shapes of weights stay, and so does what is saved. Gradients
are those of the plain model up to rounding; dropout gets other masks. Unknown architectures and wrapped models (LoRA)
get what suits any model.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from transfer.cpu_kernels.attention import use_cpu_attention
from transfer.cpu_kernels.cls_only_last_layer import use_cls_only_last_layer
from transfer.cpu_kernels.compact_embedding import use_compact_embedding
from transfer.cpu_kernels.dropout import use_fast_dropout
from transfer.encoders.tokenization import Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ENABLED = True  # False: the plain model everywhere, as for comparison in tests
# Models of BERT's build: their layers and embeddings have the same parts under the same names.
LIKE_BERT = {"bert", "camembert", "electra", "roberta", "xlm-roberta"}


def apply_cpu_kernels(model: "PreTrainedModel", device: str, train_only: Tokens | None = None) -> None:
    """Has a classifier use all kernels that suit it on `device`, in place.

    train_only: texts whose word embeddings alone are trained (see compact_embedding); None trains or keeps all.
    """
    if not ENABLED:
        return
    if is_bert_like(model):
        use_cls_only_last_layer(model)
        if device == "cpu":
            use_cpu_attention(model)
            embeddings: Any = model.base_model.embeddings
            embeddings.register_forward_hook(_in_bf16)
    apply_to_masked_lm(model, device)
    if train_only is not None:
        use_compact_embedding(model, train_only)


def apply_to_masked_lm(model: "PreTrainedModel", device: str) -> None:
    """Has a model whose head reads every token use the kernels that suit any model."""
    if ENABLED and device == "cpu":
        use_fast_dropout(model)


def apply_to_exported(model: "PreTrainedModel") -> None:
    """Has a classifier that will be converted to another format use what a converter can trace."""
    if ENABLED and is_bert_like(model):
        use_cls_only_last_layer(model)


def is_bert_like(model: "PreTrainedModel") -> bool:
    """Whether the model is of BERT's build, and not wrapped, so that its last layer can do with the first token."""
    known = getattr(model.config, "model_type", "") in LIKE_BERT and hasattr(model.base_model, "encoder")
    return known and not hasattr(model, "peft_config")


def _in_bf16(module: nn.Module, given: object, states: torch.Tensor) -> torch.Tensor:
    """The states between the layers in bfloat16 where the products are: no casts to and fro, half the memory moved."""
    if module.training and torch.is_autocast_enabled("cpu"):
        return states.to(torch.bfloat16)
    return states
