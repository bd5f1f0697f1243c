"""What makes a training step cheap without changing what is learnt; docs/experiments.md has what each gave."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from transfer.cpu_kernels.attention import use_cpu_attention
from transfer.cpu_kernels.cls_only_last_layer import use_cls_only_last_layer
from transfer.cpu_kernels.dropout import use_fast_dropout

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Models of BERT's build: their layers and embeddings have the same parts under the same names.
LIKE_BERT = {"bert", "camembert", "electra", "roberta", "xlm-roberta"}


def apply_cpu_kernels(model: "PreTrainedModel", device: str) -> None:
    """Makes `model` quicker to train on `device`. Names and shapes of its weights stay, and so does what is saved.

    Architectures that are not known to allow it, and wrapped ones, stay as they are.
    """
    if is_bert_like(model):
        use_cls_only_last_layer(model)
        if device == "cpu":
            use_cpu_attention(model)
            embeddings: Any = model.base_model.embeddings
            embeddings.register_forward_hook(_in_bf16)
    if device == "cpu":
        use_fast_dropout(model)


def is_bert_like(model: "PreTrainedModel") -> bool:
    """Whether the model is of BERT's build, and not wrapped, so that its last layer can do with the first token."""
    known = getattr(model.config, "model_type", "") in LIKE_BERT and hasattr(model.base_model, "encoder")
    return known and not hasattr(model, "peft_config")


def _in_bf16(module: nn.Module, given: object, states: torch.Tensor) -> torch.Tensor:
    """The states between the layers in bfloat16 where the products are: no casts to and fro, half the memory moved."""
    if module.training and torch.is_autocast_enabled("cpu"):
        return states.to(torch.bfloat16)
    return states
