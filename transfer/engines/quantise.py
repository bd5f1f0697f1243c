"""A converted model's weights and activations in 8 bits: by NNCF for OpenVINO, by ONNX Runtime's own tools for ONNX.

What that costs is for the caller to measure: transfer.engines.agreement.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from transfer.encoding import Tokens, padded
from transfer.engines.convert import Format, quietly


def quantise(file: Path, form: Format, calibration: Tokens) -> Path:
    """The converted model with its products in int8, beside `file`; made once.

    calibration: some hundred texts like those to come. For OpenVINO they set the activations' ranges, after outliers
    were moved into the weights (Xiao et al., SmoothQuant, 2023, arXiv 2211.10438); ONNX Runtime finds the ranges anew
    in each batch, and needs none.
    """
    made = file.with_name(f"{file.stem}-int8{file.suffix}")
    if not made.is_file():
        beside = file.with_name(f"part-{os.getpid()}-int8{file.suffix}")
        with quietly():
            {"openvino": _by_nncf, "onnx": _by_onnx}[form](file, beside, calibration)
        if form == "openvino":
            beside.with_suffix(".bin").replace(made.with_suffix(".bin"))
        beside.replace(made)
    return made


def _by_nncf(file: Path, out: Path, calibration: Tokens) -> None:
    import nncf
    import openvino

    texts = [
        dict(zip(("input_ids", "attention_mask"), padded(calibration, np.array([i])), strict=True))
        for i in range(len(calibration))
    ]
    model: Any = nncf.quantize(
        openvino.Core().read_model(file),
        nncf.Dataset(texts),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(texts),
    )
    openvino.save_model(model, out, compress_to_fp16=False)


def _by_onnx(file: Path, out: Path, _: Tokens) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(file)
    # shapes noted before weights were turned about: the quantiser would trip over them, and finds its own
    del model.graph.value_info[:]
    quantize_dynamic(
        model,
        out,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
