"""Which ways there are to compute a model here, and opening it in one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transfer.encoders.tokenization import Tokens
from transfer.engines.convert import convert, is_installed, require
from transfer.engines.inference_engine import Engine, EngineVariant
from transfer.engines.int8_quantization import quantise

CONVERTED = ("openvino", "onnx")


@dataclass(frozen=True)
class Member:
    """A kept model, and all that opening it takes, on this machine or in another process.

    folder: as transformers saves it. max_length: tokens read of a text; 0 for as many as it takes. made: a folder for
    what is converted of it, which may be deleted.
    """

    folder: Path
    max_length: int
    made: Path


def available_variants() -> list[EngineVariant]:
    """All ways that this machine and what is installed allow, the plainest first.

    On a GPU torch alone; elsewhere torch, and what the extras openvino and onnx bring.
    """
    from transfer.device.device import device_name, has_bf16

    device = device_name()
    ways = [EngineVariant("torch", "float32")]
    if has_bf16(device):
        ways.append(EngineVariant("torch", "bfloat16"))
    if device == "cuda":
        return [*ways, EngineVariant(ways[-1].engine, ways[-1].precision, compiled=True)]
    if device == "cpu" and is_installed("openvino"):
        from transfer.engines import openvino_engine

        require("openvino")
        ways += [
            EngineVariant("openvino", "bfloat16" if openvino_engine.has_bf16() else "float32"),
            EngineVariant("openvino", "int8"),
        ]
        # where there is bfloat16, int8 is hardly quicker, and less of it would be slower (docs/experiments.md)
        ways += [] if openvino_engine.has_bf16() else [EngineVariant("openvino", "int8-mixed")]
    if device == "cpu" and is_installed("onnx"):
        ways += [EngineVariant("onnx", "float32"), EngineVariant("onnx", "int8")]
    return ways


def open_engine(way: EngineVariant, member: Member, calibration: Callable[[], Tokens] | None = None) -> Engine:
    """The model, ready in this way; converted and quantised first where it has not been.

    calibration: tokens for int8; not asked for where the quantised file is there. Raises UserError where an extra is
    missing, or the model cannot be converted.
    """
    from transfer.engines.torch_engine import TorchEngine

    if way.engine == "torch":
        return TorchEngine(member.folder, member.max_length, way.precision, compiled=way.compiled)
    require(way.engine)
    from transformers import AutoConfig

    from transfer.encoders.model import load_tokenizer, longest_input
    from transfer.engines.onnx_engine import OnnxEngine
    from transfer.engines.openvino_engine import OpenVinoEngine

    tokenizer = load_tokenizer(str(member.folder))
    config = AutoConfig.from_pretrained(member.folder, trust_remote_code=False)
    longest = longest_input(config, tokenizer)
    length = min(member.max_length or longest, longest)
    file = convert(member.folder, member.made / way.engine, way.engine)
    if way.is_int8:
        from transfer.encoders.tokenization import encode

        tokens = calibration() if calibration is not None else encode([], tokenizer, length)
        file = quantise(file, way.engine, tokens, mixed=way.precision == "int8-mixed")
    if way.engine == "openvino":
        return OpenVinoEngine(file, tokenizer, length, way.precision)
    return OnnxEngine(file, tokenizer, length, way.precision)
