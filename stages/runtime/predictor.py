"""The kept models' probabilities on the splits, from disk where they were kept and by inference where not."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.runtime.run_context import Run
from storage.files.atomic_write import replacing
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.lasting_names import lasting_model_name
from transfer.engines.torch_engine import TorchEngine
from transfer.ensembling.combination import COMBINATIONS, MEAN, Combination, Mixture, mixture_from
from transfer.errors import UserError

Floats = NDArray[np.float32]


class Predictor:
    """One model, or several combined, ready to classify texts: what `final` in the plan comes down to.

    name: as tables show it. members: names of the models. how: a rule's name, or a mixture of as many members.
    fingerprint: changes with any of them.
    """

    def __init__(self, run: Run, name: str, members: Sequence[str], how: Combination | Mixture = MEAN) -> None:
        self.run, self.name, self.members = run, name, list(members)
        self.how = mixture_from(how) if isinstance(how, str) else how
        self.records = [model_record(run, member) for member in members]

    @cached_property
    def engines(self) -> list[TorchEngine]:
        """The members, loaded when they are first used: a stage that finds itself done needs none."""
        return [load_engine(self.run, record) for record in self.records]

    @property
    def fingerprint(self) -> str:
        """Of members, their weights' origin, and how they are combined."""
        told = self.how.how if self.how.is_plain else json.dumps(self.how.as_dict(), sort_keys=True)
        return predictor_fingerprint(self.records, told)

    def probabilities(self, texts: Sequence[str], on_batch: Callable[[int], None] = lambda texts: None) -> Floats:
        """(N, K) float32 of cleaned texts, rows sum to 1, K in the order of the plan's labels.

        on_batch: hears how many texts each batch of each member held.
        """
        return self.how.apply([engine.probabilities(texts, on_batch) for engine in self.engines])


def predictor_fingerprint(records: Sequence[ModelRecord], how: str) -> str:
    """16 hexadecimal digits that stand for a predictor, in shards and on the page."""
    told = "|".join(
        f"{lasting_model_name(record.name)}:{record.lineage.get('fingerprint')}:{record.value!r}" for record in records
    )
    how = "one" if len(records) == 1 and how in COMBINATIONS else how  # of one member, each rule leaves it as it is
    return hashlib.sha256(f"{how}|{told}".encode()).hexdigest()[:16]


def model_record(run: Run, name: str) -> ModelRecord:
    """A kept model by its name. Raises UserError where there is none, and names those there are."""
    record = model_registry.get(run.engine, run.plan.name, name)
    if record is None:
        there = [kept.name for kept in model_registry.models(run.engine, run.plan.name)]
        raise UserError(f"no model '{name}' is kept", f"kept are: {', '.join(there) or 'none'}")
    if record.metrics["labels"] != run.plan.labels:
        raise UserError(
            f"labels: '{name}' was trained for {', '.join(record.metrics['labels'])}, in this order",
            f"the plan has {', '.join(run.plan.labels)}",
            "put the plan's labels back, or begin anew with: --anew search",
        )
    return record


def load_engine(run: Run, record: ModelRecord) -> TorchEngine:
    """The model, reading as many tokens of a text as its trial did."""
    return TorchEngine(run.files.fetch(record.path), int(record.recipe["max_length"]))


class PredictionCache:
    """Probabilities of kept models on named splits, so that trying combinations takes no inference.

    splits: cleaned texts by name. contents: fingerprints of the splits that trials are judged on. What a trial said of
    such a split lies beside its weights; anything else is computed once and kept in the cache.
    """

    def __init__(
        self, run: Run, splits: Mapping[str, Sequence[str]], contents: Mapping[str, str] | None = None
    ) -> None:
        self.run, self.splits, self.contents = run, splits, contents or {}
        self._engine: tuple[str, TorchEngine] | None = None

    def of(self, record: ModelRecord, split: str) -> Floats:
        """(N, K) float32 of the split's texts, rows sum to 1."""
        texts = self.splits[split]
        path = self.run.cache / "probabilities" / making_of(record) / f"{split}-{_content(texts)}.npy"
        if path.is_file():
            kept: Floats = np.load(path, allow_pickle=False)
            return kept
        values = self._beside_weights(record, split)
        if values is None:
            values = self._loaded(record).probabilities(texts)
        save_array(path, values)
        return values

    def _beside_weights(self, record: ModelRecord, split: str) -> Floats | None:
        """What the trial itself said, where it was judged on the very same rows."""
        if split not in self.contents or self.contents[split] not in judged_on(record, split):
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
    """Writes the array whole or not at all; no pickle."""
    with replacing(path) as file:
        np.save(file, values, allow_pickle=False)


def judged_on(record: ModelRecord, split: str) -> list[str]:
    """Fingerprints of what a trial was judged on under that split's name, as its lineage has them."""
    parts = record.lineage.get("parts", {})
    if split == "target":
        return [parts["gold (content)"]] if parts.get("target") == "gold" else []
    return [*parts.get("original (content)", [])[1:], *filter(None, [parts.get("original.validation (content)")])]


def making_of(record: ModelRecord) -> str:
    """Of one making of a model: a study begun anew has trials of the same names."""
    name, made = lasting_model_name(record.name), record.created_at.isoformat()
    told = f"{name}|{record.lineage.get('fingerprint')}|{record.value!r}|{made}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _content(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
