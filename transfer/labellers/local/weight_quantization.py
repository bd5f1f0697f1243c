"""Weights of a causal LM in 8 or 4 bits, where device and packages have it; products stay in 16 or 32.

Only weights are rounded, so that an answer does not depend on the other comments of its batch.
(LLM.int8 rounds activations too, by columns that it selects over the whole batch.)
"""

from importlib.util import find_spec
from typing import Any

import torch

from transfer.errors import UserError
from transfer.labellers.labeller_settings import Quantisation

PACKAGES = {"int8": "torchao", "4bit": "bitsandbytes"}
# On a CPU bitsandbytes repacks weights at the first inference, takes only multiples of 64 as widths, and cannot
# be tuned afterwards.
DEVICES = {"int8": {"cpu", "cuda"}, "4bit": {"cuda", "xpu"}}
EXTRA = "pip install 'moodline[quantised]'"


def quantised(how: Quantisation, device: str, dtype: torch.dtype, where: str) -> dict[str, Any]:
    """What transformers' from_pretrained takes for weights in that format on `device`; empty for "none".

    dtype: in which products are computed.

    int8: one scale per row of a matrix (torchao). 4bit: NF4 by blocks of 64 with scales in 8 bits (bitsandbytes;
    Dettmers et al., QLoRA, 2023, section 3).
    Raises UserError where the package is not installed, or has nothing for the device.
    """
    if how == "none":
        return {}
    if find_spec(PACKAGES[how]) is None:
        raise UserError(f"{where}.quantisation: '{how}' needs {PACKAGES[how]}, which is not installed", EXTRA)
    kind = torch.device(device).type
    if kind not in DEVICES[how]:
        raise UserError(
            f"{where}.quantisation: '{how}' does not work on {kind}",
            f"it does on: {', '.join(sorted(DEVICES[how]))}",
            "set it to none, with dtype: bfloat16 where memory is short",
        )
    return {"quantization_config": _config(how, dtype), "device_map": {"": device}}


def _config(how: Quantisation, dtype: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig, TorchAoConfig

    if how == "4bit":
        untyped: Any = BitsAndBytesConfig
        return untyped(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    from torchao.quantization import Int8WeightOnlyConfig

    return TorchAoConfig(Int8WeightOnlyConfig())
