"""A converted model beside the one that it was made of: whether both say the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import batches, encode, pad
from transfer.engines.convert import FILES, Format, convert
from transfer.engines.torch_engine import TorchEngine
from transfer.errors import UserError

# Of a probability: float32 sums in another order; a hundred times what was seen.
MOST_DIFFERENCE = 1e-3
TOKENS = 2048  # padded, at a time
Run = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]  # ids and mask (B, T) to logits (B, K)


def convert_checked(folder: Path, form: Format, texts: Sequence[str], max_length: int) -> float:
    """Writes the classifier of `folder` in another form below it, in a folder named by the form, and holds it to torch.

    texts: cleaned, at least one; max_length: tokens read of each. Returns the largest difference of a probability.
    Raises UserError where the extra is not installed, the model cannot be converted, or the two disagree.
    """
    file = convert(folder, folder / form, form)
    engine = TorchEngine(folder, max_length)
    found = probabilities_by(form, file, texts, engine)
    difference = float(np.abs(found - engine.probabilities(texts)).max())
    if not difference <= MOST_DIFFERENCE:  # NaN, too
        raise UserError(
            f"{folder.name}: its {form} form gives probabilities that differ by {difference:.2g} from torch's",
            f"at most {MOST_DIFFERENCE:g} is let pass; export without --format {form}",
        )
    return difference


def probabilities_by(form: Format, file: Path, texts: Sequence[str], engine: TorchEngine) -> NDArray[np.float32]:
    """(N, K) float32 by the converted model alone; engine: for its tokenizer and length."""
    run = {"onnx": _onnx, "openvino": _openvino}[form]
    assert file.name == FILES[form]
    logits_of = run(file)
    tokens = encode(texts, engine.tokenizer, engine.max_length)
    out: NDArray[np.float32] | None = None
    for rows in batches(tokens.lengths, TOKENS):
        ids, mask = pad(tokens, rows)
        logits = logits_of(ids.numpy(), mask.numpy()).astype(np.float64)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        out = np.zeros((len(tokens), logits.shape[1]), dtype=np.float32) if out is None else out
        out[rows] = raised / raised.sum(axis=1, keepdims=True)
    assert out is not None
    return out


def _onnx(file: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda ids, mask: np.asarray(session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])


def _openvino(file: Path) -> Run:
    import openvino

    # float32, whatever the processor would do by itself: what is compared is the form, not the precision
    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda ids, mask: np.asarray(compiled({"input_ids": ids, "attention_mask": mask})["logits"])
