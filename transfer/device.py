"""What computes: the device, its number format, and how many tokens it takes at a time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Padded tokens in one forward and backward pass. 4,096 fill two CPU cores, and on a GPU stay well within 8 GiB
# for encoders of the size of RoBERTa-large.
TOKEN_BUDGET = 4096
# Narrower models are quick in any format and keep float32's digits. (bfloat16 pays from a width of 64 on: with
# AVX512-bf16 a training step took 14 ms instead of 19 there, 55 instead of 120 at 192.)
SMALLEST_BF16_WIDTH = 256


def device_name() -> str:
    """The first accelerator that torch sees, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def has_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware, so that it is faster than float32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and _cpu_bf16()


def autocast_for(model: "PreTrainedModel", device: str) -> torch.autocast:
    """The mixed precision in which `model` runs fastest on `device`: bfloat16, or none."""
    enabled = prefers_bf16(model, device)
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=enabled)


def prefers_bf16(model: "PreTrainedModel", device: str) -> bool:
    """Whether bfloat16 makes `model` faster on `device`."""
    return int(getattr(model.config, "hidden_size", 0)) >= SMALLEST_BF16_WIDTH and has_bf16(device)


def _cpu_bf16() -> bool:
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch cannot say
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
