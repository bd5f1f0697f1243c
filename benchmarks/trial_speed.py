"""One fine-tune by moodline compared with one by transformers' Trainer, by default and in bf16: speed and accuracy.

python -m benchmarks.trial_speed ENCODER DATA [--texts 2000] [--epochs 3] [--seeds 3]
DATA: a folder with train.csv and validation.csv (columns text, label). The three take turns, seed by seed.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate.state import AcceleratorState
from transformers import AutoModelForSequenceClassification, Trainer

from benchmarks.parts import Data, arguments, datasets, machine, read, scores, table, trainer_scores
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import encode
from transfer.engines.torch_engine import probabilities_of
from transfer.training.finetune import FineTuning
from transfer.training.recipe import Examples, Recipe, one_hot

Result = dict[str, float]


def by_moodline(encoder: str, data: Data, recipe: Recipe, seed: int) -> Result:
    """Examples a second of the training alone, and the scores of the last epoch."""
    tokenizer = load_tokenizer(encoder)
    tokens = encode(data.texts, tokenizer, recipe.max_length)
    examples = Examples(tokens, one_hot(data.y, len(data.labels)), np.ones(len(tokens), dtype=np.float32))
    model = load_classifier(encoder, data.labels, seed=seed, dropout=recipe.dropout)
    tuning = FineTuning(model, examples, recipe, seed)
    began = time.perf_counter()
    while not tuning.is_done:
        tuning.run_epoch()
    seconds = time.perf_counter() - began
    found = scores(probabilities_of(model, encode(data.unseen, tokenizer, recipe.max_length)), data.unseen_y)
    return {"speed": len(data.texts) * recipe.epochs / seconds, **found}


def by_trainer(encoder: str, data: Data, recipe: Recipe, seed: int, *, bf16: bool) -> Result:
    """The same by the Trainer, with its dynamic padding."""
    train, unseen, collator = datasets(encoder, data, recipe.max_length)
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=len(data.labels))
    with tempfile.TemporaryDirectory() as folder:
        given = arguments(
            folder,
            learning_rate=recipe.learning_rate,
            per_device_train_batch_size=recipe.batch_size,
            num_train_epochs=recipe.epochs,
            weight_decay=recipe.weight_decay,
            warmup_steps=recipe.warmup_share,
            seed=seed,
            bf16=bf16,
            use_cpu=not torch.cuda.is_available(),  # the Trainer takes bf16 on a processor only where that is said
        )
        trainer = Trainer(model=model, args=given, train_dataset=train, data_collator=collator)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        return {"speed": len(data.texts) * recipe.epochs / seconds, **trainer_scores(trainer, unseen)}


def main() -> None:
    """Runs all, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    given = parser.parse_args()
    data = read(given.data, given.texts)
    recipe = Recipe(learning_rate=given.learning_rate, epochs=given.epochs, batch_size=32, max_length=128)
    ways: dict[str, Callable[[int], Result]] = {
        "Trainer, default": lambda seed: by_trainer(given.encoder, data, recipe, seed, bf16=False),
        "Trainer, bf16": lambda seed: by_trainer(given.encoder, data, recipe, seed, bf16=True),
        "moodline": lambda seed: by_moodline(given.encoder, data, recipe, seed),
    }
    found: dict[str, list[Result]] = {name: [] for name in ways}
    for seed in range(1, given.seeds + 1):
        for name, way in ways.items():
            AcceleratorState._reset_state(reset_partial_state=True)  # it keeps the precision of whoever came first
            found[name].append(way(seed))
            print(f"seed {seed}, {name}: {found[name][-1]}", flush=True)
    print(f"\n{machine()}\n{given.texts} texts, batch 32, {given.epochs} epochs, rate {given.learning_rate}\n")
    print(table([["", "examples/s", "times default", "times bf16", "accuracy", "macro-F1"], *_rows(found)]))


def _rows(found: dict[str, list[Result]]) -> list[list[object]]:
    """Medians of speed, with ratios of each seed's own round; means and spreads of the scores."""
    rows: list[list[object]] = []
    for name, results in found.items():
        ratios = [
            statistics.median(r["speed"] / p["speed"] for r, p in zip(results, found[peer], strict=True))
            for peer in ("Trainer, default", "Trainer, bf16")
        ]
        speed = statistics.median(r["speed"] for r in results)
        rows.append([name, round(speed, 1), *(f"{ratio:.2f}×" for ratio in ratios)])
        for key in ("accuracy", "macro_f1"):
            values = [r[key] for r in results]
            rows[-1].append(f"{statistics.mean(values):.3f} ± {np.std(values):.3f}")
    return rows


if __name__ == "__main__":
    main()
