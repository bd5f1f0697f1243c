"""Kept models' probabilities on named splits: read from disk where they are there, else computed once and kept."""

import hashlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from stages.runtime.predictor import Floats, load_engine, model_identity
from stages.runtime.run_context import Run
from storage.files.atomic_write import write_whole
from storage.records.model_registry import ModelRecord
from transfer.engines.torch_engine import TorchEngine


class PredictionCache:
    """Probabilities of kept models on named splits, so that trying combinations takes no inference.

    splits: cleaned texts by name. contents: fingerprints of the splits that trials are evaluated on. A trial's own
    predictions on such a split lie with its weights; anything else is computed once and kept in the cache.
    """

    def __init__(
        self, run: Run, splits: Mapping[str, Sequence[str]], contents: Mapping[str, str] | None = None
    ) -> None:
        self.run, self.splits, self.contents = run, splits, contents or {}
        self._engine: tuple[str, TorchEngine] | None = None

    def of(self, record: ModelRecord, split: str) -> Floats:
        """(N, K) float32 of the split's texts, rows sum to 1."""
        texts = self.splits[split]
        content = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        path = self.run.cache / "probabilities" / model_identity(record) / f"{split}-{content}.npy"
        if path.is_file():
            kept: Floats = np.load(path, allow_pickle=False)
            return kept
        values = self._of_trial(record, split)
        if values is None:
            values = self._loaded(record).probabilities(texts)
        save_array(path, values)
        return values

    def _of_trial(self, record: ModelRecord, split: str) -> Floats | None:
        """The predictions that the trial kept with its weights, where it was evaluated on the very same rows."""
        if split not in self.contents or self.contents[split] not in evaluated_on(record, split):
            return None
        path = self.run.files.fetch(record.path) / "probabilities" / f"{split}.npy"
        if not path.is_file():
            return None
        values: Floats = np.load(path, allow_pickle=False)
        return values if len(values) == len(self.splits[split]) else None

    def _loaded(self, record: ModelRecord) -> TorchEngine:
        if self._engine is None or self._engine[0] != record.name:
            self._engine = None  # so that never two are in memory
            self._engine = (record.name, load_engine(self.run, record))
        return self._engine[1]


def save_array(path: Path, values: Floats) -> None:
    """Writes a .npy file in one step: the path never shows half of it."""
    buffer = BytesIO()
    np.save(buffer, values, allow_pickle=False)
    write_whole(path, buffer.getvalue())


def evaluated_on(record: ModelRecord, split: str) -> list[str]:
    """Fingerprints of what a trial was evaluated on under that split's name, as its lineage has them."""
    parts = record.lineage.get("parts", {})
    if split == "target":
        return [parts["gold (content)"]] if parts.get("target") == "gold" else []
    return [*parts.get("original (content)", [])[1:], *filter(None, [parts.get("original.validation (content)")])]
