"""What a plan's data holds, as the stages may see it: original splits, and gold's two halves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from storage.records.gold_halves import add_halves, known_halves
from transfer.corpus.labelled import Labelled, select_rows, without
from transfer.corpus.labelled_reader import read_labelled
from transfer.corpus.splits import Original, deal_halves, split_original
from transfer.errors import UserError

IN_GOLD = "also in gold"


@dataclass(frozen=True)
class Gold:
    """Human-labelled comments. tune chooses, report reports; a text is in one of them for good."""

    tune: Labelled
    report: Labelled


def read_original(plan: Plan, gold_keys: Collection[str] = ()) -> Original:
    """The original data in its splits. Texts that stand in gold are left out of training and
    of what is chosen by: gold trains nothing, and its report half chooses nothing.

    Raises UserError where a source cannot be read or labels are unknown.
    """
    original = plan.original
    train = read_labelled(original.train, plan.labels, plan.base, "original.train")
    validation = _part(plan, original.validation, "original.validation")
    test = None if original.test is None else _part(plan, original.test, "original.test")
    splits = split_original(train, validation, test, plan.labels, plan.seed)
    if not gold_keys:
        return splits
    kept = {
        "train": without(splits.train, gold_keys, IN_GOLD),
        "validation": without(splits.validation, gold_keys, IN_GOLD),
    }
    removed = {f"{name}: {IN_GOLD}": rows.dropped[IN_GOLD] for name, rows in kept.items() if IN_GOLD in rows.dropped}
    return Original(kept["train"], kept["validation"], splits.test, {**splits.dropped, **removed})


def read_gold_rows(plan: Plan) -> Labelled | None:
    """All of gold, or None where the plan has none."""
    return None if plan.gold is None else read_labelled([plan.gold], plan.labels, plan.base, "gold")


def read_gold(run: Run) -> Gold | None:
    """Gold in its halves, as dealt when a row was first seen; the store remembers, so later rows change nothing."""
    rows = read_gold_rows(run.plan)
    if rows is None:
        return None
    known = known_halves(run.engine, run.plan.name)
    halves = deal_halves(rows.keys, rows.labels, run.plan.seed, known)
    return halves_of(rows, add_halves(run.engine, run.plan.name, halves))


def halves_of(rows: Labelled, halves: Mapping[str, str]) -> Gold:
    """Gold parted as dealt. Raises UserError where a half is empty."""
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
