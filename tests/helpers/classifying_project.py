"""A project that has a final predictor, and an executor that classifies by a rule and remembers its texts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from stages.infer import run_infer
from stages.infer.executors import ExecutorChoice, OnBatch
from stages.plan.schema import read_plan
from stages.results.infer_result import InferResult
from stages.runtime.predictor import Predictor
from stages.runtime.run_context import Run, open_run
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from tests.helpers.tiny_encoders import LABELS, save_encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.text.cleaning import key

PLAN = """
name: small
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}]}
comments: [{path: 'comments/*', id: id, time: time, source: video}]
candidates: [models/none]
infer: {shard_rows: 10, engine: torch, precision: float32}
"""
Floats = NDArray[np.float32]


def rule(texts: Sequence[str]) -> Floats:
    """(N, 3) probabilities that depend on each text alone, however it is written."""
    seeds = [sum(ord(letter) * (i + 1) for i, letter in enumerate(key(text))) for text in texts]
    raw = np.array([np.random.default_rng(seed).random(3) for seed in seeds]).reshape(-1, 3)
    return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32)


@dataclass
class ByRule:
    """An executor, and what starts it. breaks_at: the shard that is interrupted while it is classified."""

    breaks_at: int | None = None
    read: list[list[str]] = field(default_factory=list)
    prefetch_depth: int = 1

    def __call__(self, run: Run, choice: ExecutorChoice) -> "ByRule":
        return self

    def begin(self, texts: Sequence[str]) -> Callable[[OnBatch], Floats]:
        self.read.append(list(texts))
        number = len(self.read) - 1

        def finish(on_batch: OnBatch) -> Floats:
            if number == self.breaks_at:
                raise KeyboardInterrupt
            on_batch(len(texts))
            return rule(texts)

        return finish

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class CommentProject:
    """A folder with a plan and comments, and the names of its final predictor's members."""

    folder: Path
    members: tuple[str, ...]

    def open(self, *overrides: str) -> Run:
        return open_run(read_plan(self.folder / "plan.yaml", overrides))

    def write(self, name: str, texts: Sequence[str], first: int = 0) -> None:
        """A parquet file of comments/: ids c0, c1, ... from `first` on."""
        table = pa.table(
            {
                "id": [f"c{first + i}" for i in range(len(texts))],
                "text": list(texts),
                "time": [datetime(2024, 3, 1, tzinfo=UTC)] * len(texts),
                "video": ["v"] * len(texts),
            }
        )
        (self.folder / "comments").mkdir(exist_ok=True)
        pq.write_table(table, self.folder / "comments" / name)

    def raw(self, name: str, content: bytes) -> None:
        (self.folder / "comments").mkdir(exist_ok=True)
        (self.folder / "comments" / name).write_bytes(content)


def make_comment_project(
    folder: Path, kinds: Sequence[str] = ("bert",), monkeypatch: pytest.MonkeyPatch | None = None
) -> CommentProject:
    """A project without comments whose predictor is a tiny model of each kind, untrained, averaged."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    project = CommentProject(folder, tuple(f"{kind} {i}" for i, kind in enumerate(kinds)))
    run = project.open()
    for seed, (kind, name) in enumerate(zip(kinds, project.members, strict=True)):
        made = folder / "made" / kind  # one for all of a kind: no two trainings of a tokenizer are alike
        if not made.is_dir():
            save_encoder(kind, made)
        load_classifier(made, LABELS, seed=seed).save_pretrained(folder / "kept" / str(seed))
        load_tokenizer(str(made)).save_pretrained(folder / "kept" / str(seed))
        path = f"models/{seed}"
        size = run.files.publish(folder / "kept" / str(seed), path)
        record = ModelRecord(
            name=name,
            plan="small",
            stage="search",
            study=None,
            trial=None,
            candidate=kind,
            path=path,
            bytes=size,
            value=0.5,
            metrics={"labels": list(LABELS)},
            recipe={"max_length": 32},
            lineage={"fingerprint": f"f{seed}"},
            created_at=datetime(2024, 1, 1, tzinfo=UTC),
        )
        model_registry.add(run.engine, record)
    if monkeypatch is not None:
        monkeypatch.setattr(run_infer, "final_predictor", lambda run: Predictor(run, "tiny", project.members, "mean"))
    return project


def rows(run: Run, result: InferResult) -> list[dict[str, Any]]:
    """All rows of all shards, in their order."""
    return [row for name in result.shards for row in pq.read_table(run.files.fetch(name)).to_pylist()]


def lines(*values: object) -> bytes:
    """A jsonl file's content."""
    return "".join(
        (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) + "\n" for value in values
    ).encode()
