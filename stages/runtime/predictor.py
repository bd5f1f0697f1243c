"""The model, or several combined, that classifies texts: the plan's final one, a stage's, or one by its name."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import EnsembleResult, FinalKind
from stages.results.further_result import FurtherResult
from stages.results.study_results import SearchResult
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.legacy_names import legacy_model_name
from transfer.engines.torch_engine import TorchEngine
from transfer.ensembling.combination import COMBINATIONS, MEAN, Combination, Mixture, mixture_from
from transfer.errors import UserError

Floats = NDArray[np.float32]
# of the stages that each have one model of their own
WINNERS: dict[str, type[SearchResult | FurtherResult | DistilResult]] = {
    "search": SearchResult,
    "further": FurtherResult,
    "distil": DistilResult,
}


class Predictor:
    """One kept model, or several combined.

    name: as tables show it. members: names of the models. how: a rule's name, or a mixture of as many members.
    Raises UserError where a model is not kept.
    """

    def __init__(self, run: Run, name: str, members: Sequence[str], how: Combination | Mixture = MEAN) -> None:
        self.run, self.name, self.members = run, name, list(members)
        self.how = mixture_from(how) if isinstance(how, str) else how
        self.records = [model_record(run, member) for member in members]

    @cached_property
    def engines(self) -> list[TorchEngine]:
        """The members, loaded when they are first used: a stage that is done needs none."""
        return [load_engine(self.run, record) for record in self.records]

    @property
    def fingerprint(self) -> str:
        """Changes with the members, with what their weights were trained from, and with how they are combined."""
        how = self.how.how if self.how.is_plain else json.dumps(self.how.as_dict(), sort_keys=True)
        return predictor_fingerprint(self.records, how)

    def probabilities(self, texts: Sequence[str], on_batch: Callable[[int], None] = lambda texts: None) -> Floats:
        """(N, K) float32 of cleaned texts, rows sum to 1, K in the order of the plan's labels.

        on_batch: called after each batch of each member with its number of texts.
        """
        return self.how.apply([engine.probabilities(texts, on_batch) for engine in self.engines])


def final_predictor(run: Run, stage: str | None = None, model: str | None = None) -> Predictor:
    """The predictor that the plan's `final` names; or that of one stage; or a kept model by its name.

    stage: "search", "further", "ensemble" or "distil". Raises UserError where it is not done, or there is no such
    model.
    """
    if model is not None:
        return Predictor(run, model, [model])
    if stage in WINNERS:
        name = read_result(run, WINNERS[stage]).winner.name
        return Predictor(run, name, [name])
    result = read_result(run, EnsembleResult)
    kind = "ensemble" if stage == "ensemble" else _final_kind(run, result)
    if kind == "distilled":
        return final_predictor(run, "distil")
    if kind == "ensemble":
        # a single member is left as it is, unless it was calibrated
        how = MEAN if result.alone and not result.mixture.temperatures else result.mixture
        return Predictor(run, result.chosen, result.members, how)
    return Predictor(run, result.best_single, [result.best_single])


def _final_kind(run: Run, result: EnsembleResult) -> FinalKind:
    """As the ensemble decided; with `auto` the distilled model where it is at least as good on validation."""
    final = result.final
    if run.plan.final != "auto" or run.plan.distil is None:
        return final.kind
    least = final.value.ensemble if final.kind == "ensemble" else final.value.best
    return "distilled" if read_result(run, DistilResult).winner.value >= least else final.kind


def predictor_fingerprint(records: Sequence[ModelRecord], how: str) -> str:
    """16 hexadecimal digits that identify a predictor in shards and on the page."""
    members = "|".join(
        f"{legacy_model_name(record.name)}:{record.lineage.get('fingerprint')}:{record.value!r}" for record in records
    )
    how = "one" if len(records) == 1 and how in COMBINATIONS else how  # each rule leaves a single member as it is
    return hashlib.sha256(f"{how}|{members}".encode()).hexdigest()[:16]


def model_identity(record: ModelRecord) -> str:
    """24 hexadecimal digits; a study that was reset has other models under the same names."""
    name, created = legacy_model_name(record.name), record.created_at.isoformat()
    made = f"{name}|{record.lineage.get('fingerprint')}|{record.value!r}|{created}"
    return hashlib.sha256(made.encode()).hexdigest()[:24]


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
