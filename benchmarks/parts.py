"""What the benchmarks share: their data, the machine they ran on, and the Trainer set up as its documentation does."""

import csv
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score
from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments


@dataclass(frozen=True)
class Data:
    """Texts and labels for training and for evaluation. y: (N,) int64."""

    labels: list[str]
    texts: list[str]
    y: NDArray[np.int64]
    unseen: list[str]
    unseen_y: NDArray[np.int64]


def read(folder: Path, n: int) -> Data:
    """The first `n` rows of train.csv and all of validation.csv, both with columns text and label."""
    train, unseen = ([*csv.DictReader((folder / name).open())] for name in ("train.csv", "validation.csv"))
    labels = sorted({row["label"] for row in train})
    y, unseen_y = (np.array([labels.index(row["label"]) for row in rows]) for rows in (train[:n], unseen))
    return Data(labels, [row["text"] for row in train[:n]], y, [row["text"] for row in unseen], unseen_y)


def write(path: Path, labels: Sequence[str], texts: Sequence[str], y: NDArray[np.int64]) -> None:
    """Texts and their labels as a table that `read` and a plan take."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [(text, labels[label]) for text, label in zip(texts, y, strict=True)]
        csv.writer(file).writerows([("text", "label"), *rows])


def machine() -> str:
    """Processor, cores, and versions of the libraries compared."""
    names = ("torch", "transformers", "accelerate", "optuna")
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    return f"{model}, {cores}, Python {platform.python_version()}, {versions}"


def scores(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy and macro-F1."""
    predicted = logits.argmax(axis=1)
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f1": float(f1_score(truth, predicted, average="macro")),
    }


def datasets(encoder: str, data: Data, max_length: int) -> tuple[Any, Any, DataCollatorWithPadding]:
    """Train and validation sets as the Trainer takes them, and a collator that pads each batch to its longest text."""
    from datasets import Dataset

    tokenizer = AutoTokenizer.from_pretrained(encoder)

    def encode(texts: Sequence[str], y: NDArray[np.int64]) -> Any:
        tokens = tokenizer(list(texts), truncation=True, max_length=max_length)
        return Dataset.from_dict({**tokens, "labels": y.tolist()})

    return encode(data.texts, data.y), encode(data.unseen, data.unseen_y), DataCollatorWithPadding(tokenizer)


def arguments(folder: str, **given: Any) -> TrainingArguments:
    """The Trainer's own defaults, except for the settings that both sides share, without its files and its reports."""
    quiet: Mapping[str, Any] = {"save_strategy": "no", "report_to": [], "disable_tqdm": True, "logging_strategy": "no"}
    return TrainingArguments(folder, **{**quiet, **given})


def trainer_scores(trainer: Trainer, dataset: Any) -> dict[str, float]:
    """The Trainer's model on a dataset."""
    out = trainer.predict(dataset)
    return scores(np.asarray(out.predictions), np.asarray(out.label_ids))


def table(rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned text, the first as a head."""
    cells = [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
