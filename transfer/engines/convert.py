"""A fine-tuned model in a folder as one OpenVINO or ONNX file, for any number of texts of any length.

The libraries' own converters do it: openvino.convert_model, torch.onnx.export.
"""

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transfer.atomic_write import atomic_files
from transfer.encoders.hub import SAFELY
from transfer.errors import UserError, first_line

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Format = Literal["openvino", "onnx"]
FILES: dict[Format, str] = {"openvino": "openvino_model.xml", "onnx": "model.onnx"}
# What each format's converter and runtime are called when they are imported; the extra has the format's name.
MODULES: dict[str, tuple[str, ...]] = {"openvino": ("openvino", "nncf"), "onnx": ("onnxruntime", "onnx", "onnxscript")}
INPUTS = ("input_ids", "attention_mask")
OPSET = 18


def convert(folder: Path, out: Path, form: Format) -> Path:
    """The classifier of `folder` as one file below `out`, a folder that is made; returns the file.

    Inputs: input_ids and attention_mask, (B, T) int64 both, any B and T that the model takes. Output: logits, (B, K)
    float32, computed in float32. OpenVINO's weights lie beside the .xml in a .bin. What is there already is left as
    it is: a file is renamed into its place when it is whole. Raises UserError where the extra is not installed, and
    where the model is of an architecture that cannot be converted.
    """
    require(form)
    file = out / FILES[form]
    if file.is_file():
        return file
    try:
        with quietly(), atomic_files(out, file.name) as part:
            {"openvino": _to_openvino, "onnx": _to_onnx}[form](_classifier(folder), part / file.name)
    except (OSError, UserError):
        raise
    except Exception as error:  # converters raise whatever the graph made them raise
        what = f"{folder.name}: cannot be converted to {form}: {first_line(error)}"
        raise UserError(what, "set infer.engine: torch in the plan") from error
    return file


def is_installed(form: str) -> bool:
    """Whether all that the extra of that name brings is there. Imports nothing."""
    return all(find_spec(module) is not None for module in MODULES[form])


def require(form: str) -> None:
    """Raises UserError, which names the extra, where a module of it is not installed."""
    # OpenVINO's tools and NNCF report each use to their maker; without this package they use a stub of their own
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    missing = [module for module in MODULES[form] if find_spec(module) is None]
    if missing:
        advice = f"install the extra: pip install 'moodline[{form}]'"
        raise UserError(f"{form}: {', '.join(missing)} not installed", advice)


def _classifier(folder: Path) -> "torch.nn.Module":
    import torch
    from transformers import AutoModelForSequenceClassification

    from transfer.cpu_kernels.apply import apply_to_exported

    kind = AutoModelForSequenceClassification
    model: PreTrainedModel = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa", **SAFELY)
    model.train(False)
    apply_to_exported(model)

    class Logits(torch.nn.Module):
        """The model with two inputs and one output, which is all that a graph needs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    return Logits().eval()


def _example() -> "dict[str, torch.Tensor]":
    """Two texts of different length: with nothing masked a tracer would leave the mask out."""
    import torch

    ids = torch.ones((2, 8), dtype=torch.int64)
    mask = torch.ones((2, 8), dtype=torch.int64)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def _to_openvino(model: "torch.nn.Module", file: Path) -> None:
    import openvino

    shape = openvino.PartialShape([-1, -1])
    given = [(name, shape, openvino.Type.i64) for name in INPUTS]
    graph = openvino.convert_model(model, example_input=_example(), input=given)
    graph.outputs[0].get_tensor().set_names({"logits"})
    openvino.save_model(graph, file, compress_to_fp16=False)


def _to_onnx(model: "torch.nn.Module", file: Path) -> None:
    import torch

    anything: Any = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    torch.onnx.export(
        model,
        kwargs=_example(),
        f=file,
        input_names=list(INPUTS),
        output_names=["logits"],
        opset_version=OPSET,
        dynamic_shapes=dict.fromkeys(INPUTS, anything),
        dynamo=True,
        external_data=False,
        verbose=False,
    )


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the converters' progress and warnings: their result is compared with torch's."""
    levels = {
        logger: logger.level for logger in map(logging.getLogger, ("torch.onnx", "onnxscript", "onnx_ir", "nncf"))
    }
    for logger in levels:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
