"""The variants in which a model can be computed here, and opening it as one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transfer.encoders.tokenization import Tokens, encode
from transfer.engines.convert import convert, is_installed, require
from transfer.engines.inference_engine import Engine, EngineVariant, Precision
from transfer.engines.int8_quantization import quantise


@dataclass(frozen=True)
class Member:
    """A stored model, and all that opening it needs, on this machine or in another process.

    folder: as transformers saves it. max_length: tokens read of a text; 0 for as many as it takes. made: a folder for
    what is converted of it, which may be deleted.
    """

    folder: Path
    max_length: int
    made: Path


def available_variants() -> list[EngineVariant]:
    """All variants that this machine and the installed packages allow, the simplest first.

    On a GPU torch alone; elsewhere torch, and what the extras openvino and onnx bring.
    """
    from transfer.device.device import device_name, has_bf16

    device = device_name()
    variants = [EngineVariant("torch", "float32")]
    if has_bf16(device):
        variants.append(EngineVariant("torch", "bfloat16"))
    if device == "cuda":
        return [*variants, EngineVariant(variants[-1].engine, variants[-1].precision, compiled=True)]
    if device == "cpu" and is_installed("openvino"):
        from transfer.engines import converted_engines

        require("openvino")
        # where there is bfloat16, int8 is hardly faster, and less of it would be slower (docs/experiments.md)
        has = converted_engines.has_bf16()
        precisions: tuple[Precision, ...] = ("bfloat16", "int8") if has else ("float32", "int8", "int8-mixed")
        variants += [EngineVariant("openvino", precision) for precision in precisions]
    if device == "cpu" and is_installed("onnx"):
        variants += [EngineVariant("onnx", "float32"), EngineVariant("onnx", "int8")]
    return variants


def open_engine(variant: EngineVariant, member: Member, calibration: Callable[[], Tokens] | None = None) -> Engine:
    """The model as this variant; converted and quantised first where it has not been.

    calibration: tokens for int8; not called where the quantised file is there. Raises UserError where an extra is
    missing, or the model cannot be converted.
    """
    from transfer.engines.torch_engine import TorchEngine

    if variant.engine == "torch":
        return TorchEngine(member.folder, member.max_length, variant.precision, compiled=variant.compiled)
    require(variant.engine)
    from transformers import AutoConfig

    from transfer.encoders.model import load_tokenizer, longest_input
    from transfer.engines.converted_engines import OnnxEngine, OpenVinoEngine

    tokenizer = load_tokenizer(str(member.folder))
    config = AutoConfig.from_pretrained(member.folder, trust_remote_code=False)
    longest = longest_input(config, tokenizer)
    length = min(member.max_length or longest, longest)
    file = convert(member.folder, member.made / variant.engine, variant.engine)
    if variant.is_int8:
        tokens = calibration() if calibration is not None else encode([], tokenizer, length)
        file = quantise(file, variant.engine, tokens, mixed=variant.precision == "int8-mixed")
    kind = OpenVinoEngine if variant.engine == "openvino" else OnnxEngine
    return kind(file, tokenizer, length, variant.precision)
