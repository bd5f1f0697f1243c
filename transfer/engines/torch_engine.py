"""A fine-tuned classifier's probabilities, by torch on whatever device there is; other engines are compared with it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from transfer.cpu_kernels.apply import apply_cpu_kernels
from transfer.device.device import autocast_for, device_name, precision_for
from transfer.encoders.tokenization import Indices, Tokens, batches, encode, pad
from transfer.engines.inference_engine import Precision
from transfer.training.oom_recovery import OomRecovery

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def probabilities_of(
    model: "PreTrainedModel",
    tokens: Tokens,
    on_batch: Callable[[int], None] = lambda texts: None,
    memory: OomRecovery | None = None,
    precision: Precision | None = None,
) -> NDArray[np.float32]:
    """(N, K) float32 probabilities, rows sum to 1, in the order of `tokens`; on the device where `model` is.

    Texts go through in batches of similar lengths under a token budget, which is halved where the device's memory is
    not enough. on_batch: called with the number of texts of each batch. precision: of the products; None: the fastest.
    """
    device = str(model.device)
    out = np.zeros((len(tokens), int(model.config.num_labels or 0)), dtype=np.float32)
    memory = memory or OomRecovery()
    lengths = tokens.lengths

    def predict(rows: Indices) -> None:
        for part in batches(lengths[rows], memory.tokens):
            ids, mask = pad(tokens, rows[part])  # (B, T)
            logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits  # (B, K)
            out[rows[part]] = torch.softmax(logits.float(), dim=-1).cpu().numpy()

    model.train(False)
    with torch.inference_mode(), autocast_for(model, device, precision):
        for rows in batches(lengths, memory.tokens):
            memory.fit(partial(predict, rows), model, lengths[rows])
            on_batch(len(rows))
    return out


class TorchEngine:
    """A fine-tuned model in a folder, ready to classify texts.

    folder: as transformers saves it, tokenizer included. max_length: tokens read of a text, at most those that the
    model takes; 0 for as many. precision: float32 or bfloat16; None for the faster one. compiled: by torch.compile,
    which takes a minute at first, and pays on a GPU.
    """

    name = "torch"

    def __init__(
        self, folder: Path, max_length: int = 0, precision: Precision | None = None, *, compiled: bool = False
    ) -> None:
        from transformers import AutoModelForSequenceClassification

        from transfer.encoders.hub import SAFELY
        from transfer.encoders.model import load_tokenizer, longest_input

        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(str(folder))
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, **SAFELY)
        self.model: PreTrainedModel = model.to(device_name())
        apply_cpu_kernels(self.model, self.model.device.type)
        self.model.train(False)
        longest = longest_input(model.config, self.tokenizer)
        self.max_length = min(max_length or longest, longest)
        self.precision: Precision = precision or precision_for(model.config, str(self.model.device))
        self.memory = OomRecovery()  # kept, so that a budget that was lowered once stays lowered
        if compiled:
            self.model.compile(dynamic=True)

    def probabilities(
        self, texts: Sequence[str], on_batch: Callable[[int], None] = lambda texts: None
    ) -> NDArray[np.float32]:
        """(N, K) float32 probabilities of cleaned texts, rows sum to 1; K in the order of the model's labels."""
        return probabilities_of(self.model, encode(texts, self.tokenizer, self.max_length), on_batch)

    def classify(self, tokens: Tokens, on_batch: Callable[[int], None] = lambda texts: None) -> NDArray[np.float32]:
        """The same of texts' tokens, at most max_length each, in the engine's precision."""
        return probabilities_of(self.model, tokens, on_batch, self.memory, self.precision)
