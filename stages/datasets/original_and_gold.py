"""Reads a plan's labelled data: original splits, and gold's two halves. A run's own: stages.datasets.run_data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.plan.schema import Plan
from transfer.corpus.labelled import Labelled, select_rows, without
from transfer.corpus.labelled_reader import read_labelled
from transfer.corpus.splits import Original, split_original, stratified_subset
from transfer.errors import UserError

IN_GOLD = "also in gold"


@dataclass(frozen=True)
class Gold:
    """Human-labelled comments. tune: models are selected on it. report: figures are. No text ever changes halves."""

    tune: Labelled
    report: Labelled


def read_original(plan: Plan, gold_keys: Collection[str] = ()) -> Original:
    """The original data in its splits; see leave_out for gold_keys.

    Raises UserError where a source cannot be read or labels are unknown.
    """
    original = plan.original
    train = read_labelled(original.train, plan.labels, plan.base, "original.train")
    validation = _part(plan, original.validation, "original.validation")
    test = None if original.test is None else _part(plan, original.test, "original.test")
    splits = split_original(train, validation, test, plan.labels, plan.seed)
    return leave_out(splits, gold_keys) if gold_keys else splits


def leave_out(splits: Original, gold_keys: Collection[str]) -> Original:
    """The splits without gold's texts in training and validation: gold trains nothing, and its report half selects
    nothing."""
    keys = set(gold_keys)
    kept = {"train": without(splits.train, keys, IN_GOLD), "validation": without(splits.validation, keys, IN_GOLD)}
    removed = {f"{name}: {IN_GOLD}": rows.dropped[IN_GOLD] for name, rows in kept.items() if IN_GOLD in rows.dropped}
    return Original(kept["train"], kept["validation"], splits.test, {**splits.dropped, **removed})


def subset_of(plan: Plan, original: Original) -> Labelled | None:
    """The training rows that stage one searches on; None for all.

    Raises UserError where a subset would not be fewer.
    """
    if plan.search.subset is None:
        return None
    return stratified_subset(original.train, plan.search.subset.size(len(original.train)), plan.seed)


def read_gold_rows(plan: Plan) -> Labelled | None:
    """All of gold, or None where the plan has none."""
    return None if plan.gold is None else read_labelled([plan.gold], plan.labels, plan.base, "gold")


def halves_of(rows: Labelled, halves: Mapping[str, str]) -> Gold:
    """Gold in its halves. halves: by key, "tune" or "report". Raises UserError where a half is empty."""
    return Gold(*(_half(rows, [halves[key] == half for key in rows.keys], half) for half in ("tune", "report")))


def _part(plan: Plan, part: object, where: str) -> float | Labelled:
    if isinstance(part, float | int):
        return float(part)
    assert isinstance(part, list)
    return read_labelled(part, plan.labels, plan.base, where)


def _half(rows: Labelled, mask: Sequence[bool], name: str) -> Labelled:
    picked = select_rows(rows, np.asarray(mask, dtype=bool), rows.dropped)
    if len(picked) == 0:
        raise UserError(f"gold: its {name} half is empty: {len(rows)} rows are too few", "label more comments")
    return picked
