"""A converted model's weights and activations in 8 bits: by NNCF for OpenVINO, by ONNX Runtime's own tools for ONNX.

Its loss of accuracy is measured by transfer.engines.engine_benchmark.
"""

from pathlib import Path
from typing import Any

import numpy as np

from transfer.atomic_write import atomic_files
from transfer.encoders.tokenization import Tokens, padded
from transfer.engines.convert import INPUTS, Format, quietly


def quantise(file: Path, form: Format, calibration: Tokens, *, mixed: bool = False) -> Path:
    """The converted model with its products in int8, beside `file`; made once.

    mixed, for OpenVINO alone: products that narrow stay as they are. These are the head and the second of each
    feed-forward, whose inputs have the outliers that 8 bits represent worst (Bondarenko et al., Understanding
    and Overcoming the Challenges of Efficient Transformer Quantization, EMNLP 2021).

    calibration: some hundred texts like those to come. For OpenVINO they set the activations' ranges, after outliers
    were moved into the weights (Xiao et al., SmoothQuant, 2023, arXiv 2211.10438); ONNX Runtime finds the ranges
    in each batch, and needs none.
    """
    kind = "int8-mixed" if mixed else "int8"
    made = file.with_name(f"{file.stem}-{kind}{file.suffix}")
    if not made.is_file():
        with quietly(), atomic_files(file.parent, made.name) as part:
            if form == "openvino":
                _by_nncf(file, part / made.name, calibration, mixed)
            else:
                _by_onnx(file, part / made.name)
    return made


def _by_nncf(file: Path, out: Path, calibration: Tokens, mixed: bool) -> None:
    import nncf
    import openvino

    texts = [dict(zip(INPUTS, padded(calibration, np.array([i])), strict=True)) for i in range(len(calibration))]
    whole: Any = openvino.Core().read_model(file)
    left = nncf.IgnoredScope(names=narrowing(whole)) if mixed else None
    model: Any = nncf.quantize(
        whole, nncf.Dataset(texts), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(texts), ignored_scope=left
    )
    openvino.save_model(model, out, compress_to_fp16=False)


def narrowing(model: Any) -> list[str]:
    """Names of an OpenVINO model's products with weights whose output is narrower than their input."""
    found = []
    for product in (op for op in model.get_ops() if op.get_type_name() == "MatMul"):
        weights, turned = product.input(1).get_partial_shape(), product.get_attributes()["transpose_b"]
        if weights.is_static and len(weights) == 2:  # what two activations make has no fixed size
            given, made = reversed(weights.to_shape()) if turned else weights.to_shape()
            found += [product.get_friendly_name()] if made < given else []
    return found


def _by_onnx(file: Path, out: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(file)
    # shapes noted before weights were transposed: the quantiser would fail on them, and infers its own
    del model.graph.value_info[:]
    quantize_dynamic(
        model,
        out,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
