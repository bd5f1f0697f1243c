"""A study, its trials and its winner, as `search`, `further` and `status` show them."""

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from stages.results.stage_result import Interval, Record, StageResult

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


class MeanInterval(Record):
    """A mean over seeds with its 95 % interval; without ends where one seed alone came to an end."""

    mean: float
    low: float | None
    high: float | None


class FreshSeeds(MeanInterval):
    """What a trial's parameters gave again on seeds that its search did not see.

    trial, value: the trial's number and its own value. n: fits that came to an end, with their `values`; `failed`
    others did not. mean, low, high: of the values. macro_f1, scores: over the same fits.
    """

    trial: int
    value: float | None
    n: int
    values: list[float]
    failed: int
    macro_f1: MeanInterval
    scores: Scores


class ShownTrial(Record):
    """A trial that has ended. value: of the study's metric. moved: names of parameters that its space moved, separated
    by commas. scores: on validation, with 95 % intervals. fresh: None where it was not fitted again."""

    fresh: FreshSeeds | None = None
    trial: int
    value: float | None
    params: dict[str, JsonValue]
    moved: str = ""
    scores: Scores
    intervals: Intervals | None = None


class TrialFailure(Record):
    """Why a trial failed, or what is wrong with one that did not. state: in lower case, as Optuna calls it."""

    trial: int
    state: str = "fail"
    reason: str


class StudySummary(Record):
    """A study. what: "search", or which refit of the search it is. target: how many trials it is to have, complete and
    pruned. rechecked: the trials that were fitted again on fresh seeds, best first."""

    name: str
    candidate: str | None = None
    what: str = "search"
    target: int
    complete: int
    pruned: int
    failed: int
    running: int
    waiting: int
    best: ShownTrial | None
    rechecked: list[FreshSeeds] = Field(default_factory=list)
    baseline: ShownTrial | None = None
    failures: list[TrialFailure] = Field(default_factory=list)


class StudyProgress(StudySummary):
    """A study with its speed, as `status` shows it; None where no trial has ended yet."""

    seconds_a_trial: float | None
    seconds_to_go: float | None


class Winner(Record):
    """The trial to go on with, and the name under which its weights are kept.

    value: of the study's metric. fresh: None where it was not fitted again. path: of the weights on this machine; it is
    filled in when a result is read (stages.study_runs.summaries.with_path), for a workspace may move.
    """

    candidate: str
    study: str
    trial: int
    value: float
    fresh: FreshSeeds | None = None
    name: str
    path: str | None = None


class MeasuredWinner(Winner):
    """interval: of the metric, as the kept weights have it; None where it was not measured."""

    interval: Interval | None = None


class StudiesResult(StageResult):
    """Of a stage that runs studies."""

    studies: list[StudySummary]
    winner: Winner


class SearchResult(StudiesResult):
    """A study for each candidate, with those that fit its best again, and the winner among all.

    rows: references, untuned baselines and chosen trials on validation; a worker that joined has none.
    """

    stage: ClassVar[str] = "search"
    store_only = frozenset({"schema_version"})

    winner: MeasuredWinner
    rows: list[ModelScores]
