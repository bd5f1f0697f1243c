"""How good a predictor is on labelled rows: all figures with their intervals, slices of the rows, and the errors."""

from pydantic import Field

from stages.results.stage_result import Interval, Record
from transfer.metrics.calibration_error import Bin


class ClassFigures(Record):
    """Of one label: precision, recall, F1, and accuracy of the label against all others; support: true rows."""

    precision: float
    recall: float
    f1: float
    accuracy: float
    support: int


class ClassIntervals(Record):
    """The figures of one label with their intervals."""

    precision: Interval
    recall: Interval
    f1: Interval
    accuracy: Interval


class ReportIntervals(Record):
    """Bootstrap intervals over rows of all figures; per_class: by label."""

    log_loss: Interval
    brier: Interval
    ece: Interval
    accuracy: Interval
    macro_f1: Interval
    macro_precision: Interval
    macro_recall: Interval
    weighted_f1: Interval
    weighted_precision: Interval
    weighted_recall: Interval
    per_class: dict[str, ClassIntervals]


class EvaluationReport(Record):
    """All figures of a predictor on n rows, as transfer.metrics.evaluation_report defines them.

    All lie in [0, 1] but log_loss (nats, at least 0) and brier, in [0, 2]. confusion: rows true, columns predicted;
    confusion_shares: each row summing to 1, or to 0 where the label has no row.
    """

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    macro_precision: float
    macro_recall: float
    weighted_precision: float
    weighted_recall: float
    log_loss: float
    labels: list[str]
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]
    brier: float
    ece: float
    reliability: list[Bin]
    confusion_shares: list[list[float]]
    intervals: ReportIntervals


class SplitIntervals(Record):
    """Intervals of the two figures that tables show."""

    accuracy: Interval
    macro_f1: Interval


class PairedDifference(Record):
    """What one predictor has more than another on the same rows, with intervals of the paired bootstrap."""

    accuracy: Interval
    macro_f1: Interval
    weighted_f1: Interval
    log_loss: Interval
    brier: Interval


class Slice(Record):
    """A part of the rows; its figures are None where it has too few. low, high: of macro_f1."""

    slice: str
    n: int
    accuracy: float | None
    macro_f1: float | None
    low: float | None
    high: float | None
    intervals: SplitIntervals | None


class Prediction(Record):
    """A text as it was given, the likeliest label, and the probability of each label; they sum to 1."""

    text: str
    label: str
    probabilities: dict[str, float]


class WrongPrediction(Prediction):
    """A text (cleaned) that was predicted wrong. label: the true one. confidence: probability of the predicted one."""

    predicted: str
    confidence: float


class EvaluationResult(EvaluationReport):
    """What `moodline evaluate` reports of a predictor, given by name.

    slices: by what the rows are sliced by: length, and source and month where asked for. wrong: the most confident
    errors first. dropped: rows of the file that were left out, by reason. test_readings: how often the test split
    was read so far. errors, pictures: paths of the files that were written; None where none were asked for.
    """

    predictor: str
    slices: dict[str, list[Slice]]
    wrong: list[WrongPrediction]
    dropped: dict[str, int]
    test_readings: int
    errors: str | None = Field(default=None, exclude_if=lambda path: path is None)
    pictures: list[str] | None = Field(default=None, exclude_if=lambda paths: paths is None)


class PredictionResult(Record):
    """What `moodline predict` reports of some texts. predictor: its name."""

    predictor: str
    predictions: list[Prediction]
