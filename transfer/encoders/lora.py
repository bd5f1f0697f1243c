"""LoRA: small matrices beside the frozen weights of an encoder, trained in their place and merged at the end."""

import copy
import re
from typing import TYPE_CHECKING, Literal

from transfer.encoders.model import depth, layer_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LoraTargets = Literal["attention", "all"]
# Architectures agree on little more: attention.self.query, attention.q_lin, attn.Wqkv, self_attn.k_proj.
ATTENTION = re.compile(r"att", re.IGNORECASE)
ADAPTER = ".lora_"
# The update is scaled by alpha / rank. Held at 2, the customary value, a step of one rate moves the weights alike at
# every rank, so that rank is searched apart from learning_rate; a searched alpha would only be a second rate.
ALPHA_PER_RANK = 2


def add_adapters(model: "PreTrainedModel", rank: int, targets: LoraTargets, frozen_layers: int) -> None:
    """Puts adapters beside the linear maps of the encoder's layers, in place; which parameters train is set elsewhere.

    targets: those of attention, or all of a layer. The lowest `frozen_layers`, the embeddings counting as the first,
    get none. Initialised from torch's random state; at first they change nothing that the model computes.
    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021), section 4.1.
    """
    names = target_modules(model, targets, frozen_layers)
    if not names:
        return  # all layers are frozen: only the head learns
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=names, lora_dropout=0.0)
    inject_adapter_in_model(config, model)


def target_modules(model: "PreTrainedModel", targets: LoraTargets, frozen_layers: int) -> list[str]:
    """Full names of the linear maps that get adapters, found by where they stand, whatever the architecture.

    Raises ValueError where the encoder's layers hold no linear maps at all.
    """
    import torch

    layers = depth(model.config)
    linear = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and 1 <= layer_of(f"{name}.", layers) <= layers
    ]
    if not linear:
        raise ValueError(f"method lora: a {model.config.model_type} has no linear maps in its layers; take method full")
    # the part of a name behind the last number: attention.self.query
    wanted = [name for name in linear if targets == "all" or ATTENTION.search(re.split(r"\.\d+\.", name)[-1])]
    return [name for name in wanted or linear if layer_of(f"{name}.", layers) >= frozen_layers]


def merge_adapters(model: "PreTrainedModel") -> "PreTrainedModel":
    """The model as transformers knows it: itself, or a copy with its adapters merged into its weights.

    Models are evaluated merged, for a sum of products has other last digits than a product of sums, and in bfloat16 not
    only the last: so figures are those of the stored weights.
    """
    if not has_adapters(model):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer

    merged = copy.deepcopy(model)
    for name, module in list(merged.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            merged.set_submodule(name, module.get_base_layer())
    return merged


def has_adapters(model: "PreTrainedModel") -> bool:
    return any(is_adapter(name) for name, _ in model.named_parameters())


def is_adapter(parameter: str) -> bool:
    return ADAPTER in parameter
