"""A row of the one table in which all models stand, reference and ensemble alike: see stages.study_runs.table_rows."""

from typing import Literal

from stages.results.stage_result import Interval, Record

FigureName = Literal["accuracy", "macro_f1", "weighted_f1"]
FIGURES: tuple[FigureName, ...] = ("accuracy", "macro_f1", "weighted_f1")


class Scores(Record):
    """Figures on validation, each in [0, 1]; None of a trial that failed before it was evaluated."""

    accuracy: float | None
    macro_f1: float | None
    weighted_f1: float | None


class SeedInterval(Interval):
    """An interval over several seeds; `mean` is the same number as `value`."""

    mean: float


Intervals = dict[FigureName, SeedInterval | Interval]


class ModelScores(Record):
    """One model on one split of n texts.

    stage: of the model, or "reference". low, high: of macro-F1. intervals: 95 %, of the figures that have one. note:
    what a reader must know of the figures; "" for nothing.
    """

    model: str
    stage: str
    split: str
    n: int | None
    accuracy: float | None
    macro_f1: float | None
    weighted_f1: float | None
    low: float | None = None
    high: float | None = None
    intervals: Intervals | None = None
    note: str = ""
