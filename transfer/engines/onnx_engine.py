"""ONNX Runtime on a CPU."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Indices, Tokens
from transfer.engines.inference_engine import Floats, OnBatch, Precision, in_batches

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class OnnxEngine:
    """A converted model (transfer.engines.convert); see transfer.engines.inference_engine.Engine.

    file: the .onnx, quantised already where the precision is int8. Its kernels for CPUs know no bfloat16.
    """

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
        """(N, K) float32 probabilities in the order of `tokens`, rows sum to 1."""
        return in_batches(tokens, self._logits, self._n_labels, on_batch)

    def _logits(self, ids: Indices, mask: Indices) -> NDArray[np.floating]:
        return np.asarray(self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])
