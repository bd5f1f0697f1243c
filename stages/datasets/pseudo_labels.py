"""The sample of comments that is labelled, as it was kept, and its pseudo-labels: what stages after labelling read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.datasets.run_data import data_of
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.schema import Plan
from stages.results.label_result import LabelResult
from stages.runtime.run_context import SAMPLES, Run
from stages.runtime.stage_execution import fingerprint
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.errors import UserError
from transfer.tables.sources import CommentSource

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Sampled:
    """Pseudo-labelled comments to train on; those to which the labeller gave no label are left out.

    label: (N,) int64. probabilities: (N, K) float32, a row of NaN where confidence is unknown. Both are calibrated
    where the labelling was; the store keeps the answers as they came.
    """

    keys: list[str]
    texts: list[str]
    label: NDArray[np.int64]
    probabilities: NDArray[np.float32]


def sampled(run: Run, result: LabelResult, gold: Gold | None) -> Sampled:
    """The sample with its pseudo-labels, as labelling left it."""
    sample = kept_sample(run, gold)
    known = {row.key: row for row in labels_of(run.engine, result.identity, [key for key, _ in sample])}
    kept = [(key, text, known[key]) for key, text in sample if key in known and known[key].label is not None]
    label = np.array([row.label for _, _, row in kept], dtype=np.int64)
    probabilities = probabilities_of([row for _, _, row in kept], len(run.plan.labels))
    if result.calibration is not None:
        label, probabilities = result.calibration.applied(label, probabilities)
    return Sampled(
        keys=[key for key, _, _ in kept],
        texts=[text for _, text, _ in kept],
        label=label,
        probabilities=probabilities.astype(np.float32),
    )


def probabilities_of(rows: Sequence[LabelRow], k: int) -> NDArray[np.float64]:
    """(N, K) of the stored answers, a row of NaN where confidence is unknown."""
    return np.array([row.probabilities or [math.nan] * k for row in rows], dtype=np.float64).reshape(-1, k)


def kept_sample(run: Run, gold: Gold | None) -> Pairs:
    """(key, text) of the sampled comments that pseudo-labels are used for; none that people have labelled since."""
    size, taken = settings_of(run.plan).sample, labelled_by_people(run, gold)
    return [(key, text) for key, text in read_sample(run) if key not in taken][:size]


def read_sample(run: Run) -> Pairs:
    """(key, text) of all comments that were sampled so far, in their order."""
    name = sample_name(run.plan)
    if not run.files.exists(name):
        return []
    table = pq.read_table(run.files.fetch(name), columns=["key", "text"])
    return list(zip(table.column("key").to_pylist(), table.column("text").to_pylist(), strict=True))


def sample_name(plan: Plan) -> str:
    """The sample's name in files: other sources, another seed or another way of selection are another sample."""
    settings = settings_of(plan)
    inputs = {
        "seed": plan.seed,
        "sources": [source.model_dump(mode="json") for source in sample_sources(plan)],
        "choose": settings.choose,
        "languages": settings.languages,
    }
    return f"{SAMPLES}/{fingerprint(inputs)}.parquet"


def sample_sources(plan: Plan) -> list[CommentSource]:
    """Where the comments to label are from: sources of their own, else the plan's comments."""
    return list((plan.pseudo_label and plan.pseudo_label.sources) or plan.comments)


def settings_of(plan: Plan) -> PseudoLabelSettings:
    """The labelling's part of the plan. Raises UserError where it has none, or nothing to label."""
    if plan.pseudo_label is None:
        raise UserError(f"{plan.file.name}, pseudo_label: null", "give it a labeller, and stage two can run")
    if not sample_sources(plan):
        raise UserError(f"{plan.file.name}, comments: none are named", "stage two trains on comments: name their files")
    return plan.pseudo_label


def labelled_by_people(run: Run, gold: Gold | None) -> set[str]:
    """Keys of the texts in the original data and in gold: no pseudo-label is used for them."""
    original = data_of(run).all_original
    splits = [original.train, original.validation, *([original.test] if original.test else [])]
    return {key for rows in [*splits, *((gold.tune, gold.report) if gold else ())] for key in rows.keys}
