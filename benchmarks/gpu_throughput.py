"""Examples a second of fine-tuning models of RoBERTa's shapes, from a configuration, and the share of the card's peak.

python -m benchmarks.gpu_throughput [--peak TFLOPS] [--tokens 128] [--batch 32 128] [--steps 30] [--size base large]
Compares, in turn, moodline's own training step in bf16 and transformers' Trainer with bf16=True, on a GPU. Without a
GPU it prints a message; --size tiny runs the script there as a test. Operations: 6 per weight of the layers and
token, and 12 · layers · width · tokens for attention (Chowdhery et al., PaLM, 2022, appendix B), minus what the last
layer leaves out because it computes the first token alone.
"""

import argparse
import itertools
import tempfile
import time
from typing import Any

import numpy as np
import torch
from accelerate.state import AcceleratorState
from transformers import PreTrainedModel, RobertaConfig, RobertaForSequenceClassification, Trainer, TrainerCallback

from benchmarks.parts import arguments, machine, table
from transfer.encoders.tokenization import Tokens
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Examples, Recipe, one_hot

# width, layers, heads, inner width: Liu et al., RoBERTa (2019), table 9
SHAPES = {"tiny": (64, 2, 2, 256), "base": (768, 12, 12, 3072), "large": (1024, 24, 16, 4096)}
VOCABULARY, LABELS = 50265, 6
# Dense bf16 products without sparsity, by the vendor's data sheets, in 10^12 operations a second.
PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "L4": 121.0, "A10": 125.0, "RTX 4090": 165.0}


def model_of(size: str) -> PreTrainedModel:
    """A classifier of that shape with random weights: its accuracy does not matter here."""
    width, layers, heads, inner = SHAPES[size]
    config = RobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    config.num_labels = LABELS
    return RobertaForSequenceClassification(config)


def examples_of(n: int, length: int) -> Examples:
    """Random texts, all of one length: without padding, so that exactly the counted operations are computed."""
    rng = np.random.default_rng(0)
    flat = rng.integers(5, VOCABULARY, n * length).astype(np.int32)
    tokens = Tokens(flat, np.arange(n + 1, dtype=np.int64) * length, tail=1, pad_id=1)
    return Examples(tokens, one_hot(rng.integers(0, LABELS, n), LABELS), np.ones(n, dtype=np.float32))


def operations(size: str, length: int) -> float:
    """Floating-point operations that an example takes, forward and backward."""
    width, layers, _, inner = SHAPES[size]
    weights = layers * (4 * width**2 + 2 * width * inner)
    whole = length * (6 * weights + 12 * layers * width * length)
    left_out = (length - 1) * (6 * (2 * width**2 + 2 * width * inner) + 12 * width * length)
    return float(whole - left_out)


def by_moodline(size: str, length: int, batch: int, steps: int) -> float:
    """Examples a second, after one epoch of warming up."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it keeps the precision of whoever came first
    recipe = Recipe(batch_size=batch, epochs=2, max_length=length)
    tuning = FineTuning(model_of(size), examples_of(batch * steps, length), recipe, 1)
    tuning.run_epoch()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    tuning.run_epoch()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return batch * steps / (time.perf_counter() - began)


def by_trainer(size: str, length: int, batch: int, steps: int) -> float:
    """The same by the Trainer."""
    AcceleratorState._reset_state(reset_partial_state=True)
    rows = _rows_of(examples_of(batch * steps, length))
    with tempfile.TemporaryDirectory() as folder:
        on_cpu = not torch.cuda.is_available()  # where the Trainer takes bf16 only if that is said
        given = arguments(folder, per_device_train_batch_size=batch, num_train_epochs=1, bf16=True, use_cpu=on_cpu)
        clock = _Clock()
        trainer = Trainer(model=model_of(size), args=given, train_dataset=rows, callbacks=[clock])
        trainer.train()
        trainer.train()
        return batch * steps / (time.perf_counter() - clock.began)


class _Clock(TrainerCallback):
    """The time when the last training began, after its optimiser was created."""

    began = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.began = time.perf_counter()


def _rows_of(examples: Examples) -> Any:
    """The examples as the Trainer takes them."""
    from datasets import Dataset

    ids = examples.tokens.flat.reshape(len(examples), -1)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "labels": examples.targets.argmax(axis=1)}
    return Dataset.from_dict(given).with_format("torch")


def main() -> None:
    """Measures each size, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peak", type=float, help="the card's dense bf16 peak in TFLOPS; known for some cards")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--size", nargs="+", choices=list(SHAPES), default=["base", "large"])
    given = parser.parse_args()
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peak = given.peak or next((value for name, value in PEAKS.items() if name in card), None)
    rows: list[list[object]] = []
    for size, batch in itertools.product(given.size, given.batch):
        found = by_moodline(size, given.tokens, batch, given.steps)
        peer = by_trainer(size, given.tokens, batch, given.steps)
        done = found * operations(size, given.tokens) / 1e12
        share = f"{done / peak:.1%}" if peak else "peak unknown: give --peak"
        rows.append([size, batch, found, f"{found / peer:.2f}×", done, share])
    print(f"{machine()}\n{card or 'no GPU here: these are the processor figures'}, peak {peak} TFLOPS")
    print(f"{given.tokens} tokens a text\n")
    print(table([["RoBERTa", "texts a step", "examples/s", "times Trainer", "TFLOPS", "share of peak"], *rows]))


if __name__ == "__main__":
    main()
