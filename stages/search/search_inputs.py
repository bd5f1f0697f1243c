"""What stage one begins with: the original data, the candidates' weights, and what its fingerprint is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.datasets.original_and_gold import subset_of
from stages.datasets.run_data import data_of
from stages.plan.schema import Plan
from stages.runtime.adapted_encoders import adapted_folders, adapts, fetch_version
from stages.runtime.run_context import Run
from storage.records import stage_records
from studies.space.dimensions import plain_space
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original
from transfer.encoders.hub import model_version


@dataclass(frozen=True)
class SearchInputs:
    """subset: the training rows that are searched on, None for all. starts: by candidate, the folder of its weights.
    parts: of the fingerprint."""

    original: Original
    subset: Labelled | None
    starts: dict[str, Path]
    parts: dict[str, Any]


def search_inputs(run: Run) -> SearchInputs:
    """Reads all of it. Raises UserError where something cannot be read."""
    original, starts = data_of(run).original, _starts(run)
    subset = subset_of(run.plan, original)
    return SearchInputs(original, subset, starts, _parts(run.plan, original, subset, starts))


def _parts(plan: Plan, original: Original, subset: Labelled | None, starts: dict[str, Path]) -> dict[str, Any]:
    parts = {
        "labels": plan.labels,
        "seed": plan.seed,
        "candidates": {candidate: model_version(folder) for candidate, folder in starts.items()},
        "search.metric": plan.search.metric,
        "search.pruner": plan.search.pruner,
        "search.space": plain_space(plan.search.space),
        "original.train (content)": original.train.fingerprint,
        "original.validation (content)": original.validation.fingerprint,
    }
    if plan.search.sampler != "tpe":
        parts["search.sampler"] = plan.search.sampler
    if plan.search.seeds != 1:
        parts["search.seeds"] = plan.search.seeds
    if subset is not None:
        parts["search.subset (rows, content)"] = [len(subset), subset.fingerprint]
    return parts


def _starts(run: Run) -> dict[str, Path]:
    """The candidates' folders: of the hub's, the version that the search began with, whatever was published since;
    adapted ones where the plan has them adapted before."""
    if adapts(run, "search"):
        return adapted_folders(run)
    record = stage_records.read(run.engine, run.plan.name, "search")
    began: dict[str, str] = record.parts["candidates"] if record else {}
    return {candidate: fetch_version(run, candidate, began.get(candidate)) for candidate in run.plan.candidates}
