"""A run's labelled data, each file read once: original splits and gold. Comments are never held, for they are many."""

from functools import cached_property

from stages.datasets.original_and_gold import Gold, halves_of, leave_out, read_gold_rows, read_original
from stages.runtime.run_context import Run
from storage.records.gold_halves import add_halves, known_halves
from transfer.corpus.labelled import Labelled
from transfer.corpus.splits import Original, split_gold


class RunData:
    """Read when first asked for, and kept as long as the run: what changes in a file meanwhile is not seen.

    Each raises UserError where a file cannot be read.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def gold_rows(self) -> Labelled | None:
        """All of gold; None where the plan has none."""
        return read_gold_rows(self._run.plan)

    @cached_property
    def gold(self) -> Gold | None:
        """Gold in its halves; None where the plan has none."""
        return None if self.gold_rows is None else _in_halves(self._run, self.gold_rows)

    @cached_property
    def all_original(self) -> Original:
        """The original splits, with the texts that also stand in gold."""
        return read_original(self._run.plan)

    @cached_property
    def original(self) -> Original:
        """The original splits, without gold's texts in training and validation."""
        return leave_out(self.all_original, self.gold_rows.keys) if self.gold_rows else self.all_original

    @property
    def labelled(self) -> list[Labelled]:
        """All that people have labelled."""
        original = self.all_original
        splits = (original.train, original.validation, original.test, self.gold_rows)
        return [rows for rows in splits if rows is not None]


def data_of(run: Run) -> RunData:
    """The run's data, the same object for every stage."""
    data = run.loaded.setdefault("data", RunData(run))
    assert isinstance(data, RunData)
    return data


def _in_halves(run: Run, rows: Labelled) -> Gold:
    """As assigned when a row was first seen; the store keeps that, so rows that come later change nothing."""
    known = known_halves(run.engine, run.plan.name)
    halves = split_gold(rows.keys, rows.labels, run.plan.seed, known)
    return halves_of(rows, add_halves(run.engine, run.plan.name, halves))
