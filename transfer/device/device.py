"""The device that computes, its dtype, and how many tokens it takes at a time."""

import platform
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from transfer.device.bf16_choice import decided

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

# Padded tokens in one forward and backward pass. 4,096 fill two CPU cores, and on a GPU stay well within 8 GiB
# for encoders of the size of RoBERTa-large.
TOKEN_BUDGET = 4096
# A larger GPU takes more: as many for each 16 GiB, for workers may share it, but no more than 128 texts of 128 tokens,
# with which RoBERTa-large reaches a quarter of an H200's peak (benchmarks/gpu_throughput.py).
GPU_MEMORY_OF_A_BUDGET = 16 * 2**30  # bytes
MOST_BUDGETS = 4
# Narrower models are fast in any dtype and keep float32's digits. (bfloat16 pays from a width of 64 on: with
# AVX512-bf16 a training step took 14 ms instead of 19 there, 55 instead of 120 at 192.)
SMALLEST_BF16_WIDTH = 256
# A product as a layer of BERT's makes it, 5 ms on two cores; the first ones also load the library.
A_LAYERS_INPUT, A_LAYERS_WEIGHTS = (512, 768), (768, 768)
REPEATS = 12
LEAST_GAIN = 1.2


def device_name() -> str:
    """The first accelerator that torch sees, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def token_budget() -> int:
    """Padded tokens that this machine's device takes at a time, estimated from its memory."""
    if device_name() != "cuda":
        return TOKEN_BUDGET
    budgets = torch.cuda.get_device_properties().total_memory // GPU_MEMORY_OF_A_BUDGET
    return TOKEN_BUDGET * min(max(budgets, 1), MOST_BUDGETS)


def has_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware and is faster so than in float32.

    Measured on a CPU, once for a plan and a kind of processor: see bf16_choice.
    """
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and _cpu_bf16()


def autocast_for(model: "PreTrainedModel", device: str, precision: str | None = None) -> torch.autocast:
    """Mixed precision for `model` on `device`: bfloat16, or none. precision: of the products; None: the fastest."""
    enabled = (precision or precision_for(model.config, device)) == "bfloat16"
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=enabled)


def precision_for(config: "PretrainedConfig", device: str) -> Literal["bfloat16", "float32"]:
    """The dtype in which a model of that configuration is fastest on `device`."""
    wide = int(getattr(config, "hidden_size", 0)) >= SMALLEST_BF16_WIDTH
    return "bfloat16" if wide and has_bf16(device) else "float32"


def _cpu_bf16() -> bool:
    """As was measured, or recorded before, for a processor of this name that has the instructions."""
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch does not have it
    instructions = [name for name in ("avx512_bf16", "amx_bf16") if capabilities.get(name)]
    if not instructions:
        return False
    return decided(f"{_processor()} with {' and '.join(instructions)}", _measured)


def _measured() -> dict[str, Any]:
    """Whether a product is faster in bfloat16, and the seconds that it took in both formats.

    A processor that has the instructions may still be slow at them: twice as fast as float32 on an AMD EPYC with
    AVX512-bf16, half as fast on an Intel Xeon that has these but no AMX.
    """
    operands = {
        dtype: [torch.ones(shape, dtype=dtype) for shape in (A_LAYERS_INPUT, A_LAYERS_WEIGHTS)]
        for dtype in (torch.float32, torch.bfloat16)
    }
    took = {dtype: min(_seconds(*pair) for _ in range(REPEATS)) for dtype, pair in operands.items()}
    seconds = {"float32": took[torch.float32], "bfloat16": took[torch.bfloat16]}
    return {"bfloat16": seconds["bfloat16"] * LEAST_GAIN < seconds["float32"], "seconds": seconds}


@cache
def _processor() -> str:
    """The processor's name as Linux has it; elsewhere what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _seconds(x: torch.Tensor, weights: torch.Tensor) -> float:
    began = time.perf_counter()
    torch.nn.functional.linear(x, weights)
    return time.perf_counter() - began
