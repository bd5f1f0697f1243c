"""The interface of engines: a fine-tuned model that gives probabilities for tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Tokens
from transfer.metrics.probabilities import softmax

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Floats = NDArray[np.float32]
EngineName = Literal["torch", "openvino", "onnx"]
# int8-mixed: int8 but for products that narrow, which are the most sensitive; for models whose labels int8 changes.
Precision = Literal["float32", "bfloat16", "int8", "int8-mixed"]
OnBatch = Callable[[int], None]
# Padded tokens of a batch on a CPU: enough that the products fill its vector units, few enough for its caches.
CPU_TOKENS = 2048


@dataclass(frozen=True)
class EngineVariant:
    """How a model is computed: library, dtype of products, and whether torch.compile is used."""

    engine: EngineName
    precision: Precision
    compiled: bool = False

    @property
    def is_int8(self) -> bool:
        return self.precision.startswith("int8")

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}{' compiled' if self.compiled else ''}"


class Engine(Protocol):
    """A fine-tuned classifier, opened as one EngineVariant.

    It is used by one thread at a time, and gives the same figures for the same batch of tokens; in another batch their
    last digits may differ. It never changes or keeps its arguments.
    """

    name: str  # torch, openvino or onnx
    precision: Precision  # of the products; int8 leaves what is delicate in more
    tokenizer: "PreTrainedTokenizerBase"
    max_length: int  # most tokens that it reads of a text

    def classify(self, tokens: Tokens, on_batch: OnBatch = lambda texts: None) -> Floats:
        """(N, K) float32 probabilities in the order of `tokens`, rows sum to 1; K in the order of the model's labels.

        on_batch: called with the number of texts of each batch.
        """


def probabilities_from(logits: NDArray[np.floating]) -> Floats:
    """(B, K) float32 of logits (B, K), rows sum to 1."""
    return softmax(logits.astype(np.float64)).astype(np.float32)
