"""What stage two, its rounds and its ablation come to."""

from typing import ClassVar, Literal

from pydantic import Field

from stages.results.stage_result import Interval, Record, StageResult
from stages.results.study_results import MeasuredWinner, ModelScores, StudiesResult, StudySummary


class FurtherWinner(MeasuredWinner):
    """round: in which the winner was found, from 1."""

    round: int = 1


class Round(Record):
    """A round of self-training, ended. round: from 1, which learns from the labeller alone. labels: pseudo-labels it
    learned from. teacher: models of the round before that labelled its comments. value: of its chosen trial. interval:
    95 %, of that trial as its weights are kept."""

    round: int
    labels: int
    teacher: list[str]
    value: float
    interval: Interval | None = None


class Comparison(Record):
    """Stage two, or an arm of the ablation, less another model on the n texts of a split, in macro-F1.

    low, high: 95 %, paired bootstrap. verdict: None where the split had a part in choosing the model.
    """

    than: str
    split: str
    n: int
    difference: float
    low: float
    high: float
    verdict: Literal["better", "worse", "not shown"] | None


class ArmComparison(Comparison):
    """model: the arm of the ablation."""

    model: str


class FurtherResult(StudiesResult):
    """Stage two's studies, its winner and what the winner is compared with.

    target: what trials were selected by, "gold" (its tune half) or "pseudo-labels" (held out). rows: stage one's and
    stage two's of the results' table. against_stage_one: on gold's report half; None without gold. A worker that joined
    has no rows, comparisons and warnings.
    """

    stage: ClassVar[str] = "further"
    store_only = frozenset({"schema_version"})

    winner: FurtherWinner
    rounds: list[Round] = Field(default_factory=list)
    target: str
    rows: list[ModelScores] = Field(default_factory=list)
    comparisons: list[Comparison] = Field(default_factory=list)
    against_stage_one: Comparison | None = None
    warnings: list[str] = Field(default_factory=list)


class ArmScores(Record):
    """An arm of the ablation on the n texts of a split, over several seeds.

    accuracy, macro_f1: means over seeds. low, high: of macro-F1, 95 %, seeds and texts resampled. sd: of `values`, the
    macro-F1 of each seed; None of one seed.
    """

    model: str
    stage: str
    split: str
    n: int
    seeds: int
    accuracy: float
    macro_f1: float
    low: float
    high: float
    sd: float | None
    values: list[float]
    note: str = ""


class AblationResult(StageResult):
    """What either source alone and both give under stage two's recipe. png: of the picture, filled in on reading."""

    stage: ClassVar[str] = "ablation"

    studies: list[StudySummary]
    rows: list[ArmScores]
    comparisons: list[ArmComparison]
    warnings: list[str] = Field(default_factory=list)
    png: str | None = None
