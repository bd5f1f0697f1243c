"""OpenVINO on a CPU: several batches at once, each on its part of the cores."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.encoding import Indices, Tokens, batches, padded
from transfer.engines.engine import CPU_TOKENS, Floats, Heard, Precision, softmax

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class OpenVinoEngine:
    """A converted model (transfer.engines.convert); see transfer.engines.engine.Engine.

    file: the .xml. precision: what is computed in; with int8 the file is quantised already, and the rest is computed in
    bfloat16 where the processor has it.
    """

    name = "openvino"

    def __init__(self, file: Path, tokenizer: "PreTrainedTokenizerBase", max_length: int, precision: Precision) -> None:
        import openvino
        import torch

        self.tokenizer, self.max_length, self.precision = tokenizer, max_length, precision
        hint = "f32" if precision == "float32" or not has_bf16() else "bf16"
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),  # what this process was given of the cores
        }
        self._model: Any = openvino.Core().compile_model(file, "CPU", settings)
        self._n_labels = int(self._model.output(0).partial_shape[1].get_length())

    def classify(self, tokens: Tokens, on_batch: Heard = lambda texts: None) -> Floats:
        """(N, K) float32 probabilities in the order of `tokens`, rows sum to 1."""
        import openvino

        out = np.zeros((len(tokens), self._n_labels), dtype=np.float32)

        def take(request: Any, rows: Indices) -> None:
            out[rows] = softmax(request.get_output_tensor(0).data)

        queue = openvino.AsyncInferQueue(self._model)
        queue.set_callback(take)
        for rows in batches(tokens.lengths, CPU_TOKENS):
            ids, mask = padded(tokens, rows)
            queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
            on_batch(len(rows))
        queue.wait_all()
        return out


def has_bf16() -> bool:
    """Whether OpenVINO multiplies bfloat16 in hardware here."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
