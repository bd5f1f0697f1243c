"""Engines of converted models (transfer.engines.convert) on a CPU; see transfer.engines.inference_engine.Engine."""

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.encoders.tokenization import Indices, Tokens, batches, padded
from transfer.engines.inference_engine import CPU_TOKENS, Floats, OnBatch, Precision, probabilities_from

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class OpenVinoEngine:
    """OpenVINO: several batches at once, each on its part of the cores.

    file: the .xml. precision: what is computed in; with int8 the file is quantised already, all of it or in part, and
    the rest is computed in bfloat16 where the processor has it.
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
        at_once = self._model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [self._model.create_infer_request() for _ in range(at_once)]
        self._n_labels = int(self._model.output(0).partial_shape[1].get_length())

    def classify(self, tokens: Tokens, on_batch: OnBatch = lambda texts: None) -> Floats:
        out = np.zeros((len(tokens), self._n_labels), dtype=np.float32)
        free, busy = list(self._requests), deque[tuple[Any, Indices]]()

        def finish() -> None:
            request, rows = busy.popleft()
            request.wait()
            out[rows] = probabilities_from(request.get_output_tensor(0).data)
            free.append(request)
            on_batch(len(rows))

        # no callbacks: OpenVINO's threads waited for Python's lock while Python waited for them
        for rows in batches(tokens.lengths, CPU_TOKENS):
            if not free:
                finish()
            ids, mask = padded(tokens, rows)
            request = free.pop()
            request.start_async({"input_ids": ids, "attention_mask": mask})
            busy.append((request, rows))
        while busy:
            finish()
        return out


def has_bf16() -> bool:
    """Whether OpenVINO multiplies bfloat16 in hardware here."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OnnxEngine:
    """ONNX Runtime. file: the .onnx, quantised already where the precision is int8. Its kernels know no bfloat16."""

    name = "onnx"

    def __init__(self, file: Path, tokenizer: "PreTrainedTokenizerBase", max_length: int, precision: Precision) -> None:
        import onnxruntime
        import torch

        self.tokenizer, self.max_length, self.precision = tokenizer, max_length, precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self._n_labels = int(self._session.get_outputs()[0].shape[1])

    def classify(self, tokens: Tokens, on_batch: OnBatch = lambda texts: None) -> Floats:
        out = np.zeros((len(tokens), self._n_labels), dtype=np.float32)
        for rows in batches(tokens.lengths, CPU_TOKENS):
            ids, mask = padded(tokens, rows)
            out[rows] = probabilities_from(self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])
            on_batch(len(rows))
        return out
