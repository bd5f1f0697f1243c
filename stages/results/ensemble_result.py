"""What the ensemble stage reports: all combinations of the kept models, the one selected, and what is final."""

from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field, PlainSerializer, model_validator

from stages.results.distil_result import DistilResult
from stages.results.evaluation_result import EvaluationReport, PairedDifference
from stages.results.stage_result import Interval, Record, StageResult
from stages.results.study_results import Intervals, ModelScores
from transfer.ensembling.combination import Combination, Mixture

FinalKind = Literal["best", "ensemble", "distilled"]
T = TypeVar("T", float, Interval)


class SplitScores(Record):
    """Accuracy and macro-F1 on one split, with the intervals that were measured."""

    accuracy: float
    macro_f1: float
    intervals: Intervals | None = None


class CombinationScores(Record):
    """One combination. members: how many it uses. value: of the selection metric. fitted: whether something in it was
    fitted on these rows; its figures are cross-fitted then. weights: by member, where it has any. figures: by split."""

    combination: str
    members: int
    value: float
    interval: Interval | None = None
    fitted: bool
    weights: dict[str, float] = Field(default_factory=dict)
    figures: dict[str, SplitScores]


class DiversityMeans(Record):
    """Means over pairs of members; None where there is no pair, or the measure is undefined for all."""

    disagreement: float | None
    q: float | None
    kappa: float | None
    double_fault: float | None


class MemberPair(DiversityMeans):
    """Two members, by their place in `members`."""

    first: int
    second: int


class Diversity(Record):
    """How differently the members err on validation: see transfer.ensembling.diversity."""

    pairs: list[MemberPair]
    mean: DiversityMeans


class BestAndEnsemble(Record, Generic[T]):
    """The selection metric's value, or its interval, of the best single model and of the selected combination."""

    best: T
    ensemble: T


class FinalModel(Record):
    """Which model the plan's `final` came down to, as far as the ensemble stage can decide it."""

    kind: FinalKind
    value: BestAndEnsemble[float]
    intervals: BestAndEnsemble[Interval] | None = None


class Gain(PairedDifference):
    """The ensemble's gain over the best single model. better: whether macro-F1's interval lies above 0."""

    better: bool


class EnsembleResult(StageResult):
    """members, mixture, combine, chosen: the selected combination, `chosen` as tables call it.

    values: the selection metric of every kept model. validation, target: figures by combination on the data that
    selects; target is None where there is no stage two. alone: the one model that the combination came down to, None
    where it has several. test: by model, None without a test split. gain: by split that selected nothing;
    gain_on_validation: the same where both were selected. judged: all figures of the final model, by split.
    models_page, distilled: filled in by the command; the first is a path on this machine.
    """

    stage: ClassVar[str] = "ensemble"

    members: list[str]
    mixture: Annotated[Mixture, PlainSerializer(Mixture.as_dict)]
    values: dict[str, float] = Field(default_factory=dict)
    combinations: list[CombinationScores] = Field(default_factory=list)
    validation: dict[str, SplitScores]
    target: dict[str, SplitScores] | None = None
    best_single: str
    chosen: str
    alone: str | None = None
    combine: Combination
    diversity: Diversity | None = None
    final: FinalModel
    test: dict[str, SplitScores] | None
    gain: dict[str, Gain] = Field(default_factory=dict)
    gain_on_validation: PairedDifference | None = None
    judged: dict[str, EvaluationReport] = Field(default_factory=dict)
    test_readings: int
    rows: list[ModelScores]
    models_page: str | None = Field(default=None, exclude_if=lambda path: path is None)
    distilled: DistilResult | None = Field(default=None, exclude_if=lambda result: result is None)

    @model_validator(mode="before")
    @classmethod
    def _read_rule(cls, stored: Any) -> Any:
        """A result whose combinations could not be fitted yet has the name of its rule alone."""
        if isinstance(stored, dict) and "mixture" not in stored and "combine" in stored:
            return {**stored, "mixture": {"how": stored["combine"]}}
        return stored
