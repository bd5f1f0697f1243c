"""What the monitor stage gives: the daily line's estimates, how they came about, and the files that show them.

The keys are those of `--json`, and of the results that 0.1.0 stored.
"""

from datetime import date
from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer

from stages.monitor.schema.index_settings import Every, Method
from stages.results.stage_result import Record, StageResult

PATHS = ("page", "csv", "parquet", "png", "sources_csv", "forecast_csv", "words_csv", "lineage_csv")


class Estimate(Record):
    """A share, 0 to 1, or the index, 0 to 100, with its 95 % interval: None where the clusters are too few for one."""

    value: float
    low: float | None
    high: float | None


class MethodEstimates(Record):
    """By one method. shares: by label. index: None without weights."""

    shares: dict[str, Estimate]
    index: Estimate | None


class PeriodEstimates(Record):
    """A day, week or month: `every` and `period` are both its length.

    start: its first day. n: comments. clusters: distinct authors (or sources). is_whole: false for a first or last
    period that the comments do not reach across. shares, index: of the estimate that is drawn, all None in a gap.
    raw: as counted, None in a gap; in JSON only where what is drawn is corrected.
    """

    every: Every
    period: Every
    start: date
    n: int
    clusters: int
    is_whole: bool
    shares: dict[str, Estimate | None]
    index: Estimate | None
    raw: MethodEstimates | None = None

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return values if "raw" in self.model_fields_set else {k: v for k, v in values.items() if k != "raw"}


class TotalEstimates(Record):
    """All dated comments together, or those of one source. methods: none where there are too few comments."""

    name: str
    n: int
    clusters: int
    methods: dict[Method, MethodEstimates]


class SourceEstimates(TotalEstimates):
    """periods: of the longest length; empty where the source is not followed over time."""

    periods: tuple[PeriodEstimates, ...]


class DrawnMethod(Record):
    """drawn: the estimate that is drawn bold, and why. methods: all that can be given. judged_on: the kind of gold rows
    behind the corrections (gold or validation), None without any; judged: their number by label."""

    drawn: Method
    why: str
    methods: tuple[Method, ...]
    judged_on: str | None
    judged: dict[str, int]


class RemovedComments(Record):
    """What author caps and floods leave out: rows by reason, counts by label."""

    rows: dict[str, int]
    counts: dict[str, int]


class LevelChange(Record):
    """start: of the first period at the new level. before, after: mean index of the levels."""

    start: date
    before: float
    after: float


class WeightSensitivity(Record):
    """How far the index depends on its weights: see stages.monitor.analysis.weight_sensitivity."""

    every: Every
    points: float
    correlation: float
    same_way: float


class LagCorrelation(Record):
    """Pearson's r of the index with another series `lag` periods later, with its 95 % interval, from n pairs."""

    lag: int
    r: float
    low: float
    high: float
    n: int


class SeriesCorrelations(Record):
    """Another series. drawn, raw: correlations by lag with the index as drawn and as counted; steps: of the changes."""

    name: str
    drawn: tuple[LagCorrelation, ...]
    raw: tuple[LagCorrelation, ...]
    steps: tuple[LagCorrelation, ...]


class DatedEvent(Record):
    """An event of the plan."""

    day: date
    text: str


class ForecastPeriod(Record):
    """A period to come: its first day, and the index expected with its 95 % interval."""

    start: date
    value: float
    low: float
    high: float


class BacktestFigures(Record):
    """How such forecasts did in the past: see stages.monitor.analysis.backtest.Backtest."""

    origins: int
    pairs: int
    coverage: float
    low: float
    high: float
    near: float
    far: float
    error: float
    naive: float
    seasonal: float | None


class ForecastFigures(Record):
    """Of one length of period. why: the reason where there is none; then periods and backtest are None."""

    every: Every
    why: str | None
    periods: tuple[ForecastPeriod, ...] | None
    backtest: BacktestFigures | None


class OutlierFigures(Record):
    """A period that stands out, by the label that rises most. share, usual: 0 to 1. score: in deviations."""

    every: Every
    start: date
    label: str
    share: float
    usual: float
    score: float


class WordFigures(Record):
    """n: authors who use the word. z: of its log-odds."""

    text: str
    n: int
    z: float


class WordList(Record):
    """Words of a label, strongest first, in a period, or over the whole time (every and start are None). against: other
    emotions or other times."""

    every: Every | None
    start: date | None
    label: str
    against: str
    words: tuple[WordFigures, ...]


class WordsFigures(Record):
    """read: comments that the words are from. standing: outlier periods. told: lists of words."""

    read: int
    standing: tuple[OutlierFigures, ...]
    told: tuple[WordList, ...]


class MonitorResult(StageResult):
    """The line. undated: comments without a time. changes: by length of period. sensitivity: None without an index, or
    with too few periods. words: None where none were looked for. The rest: see each type.

    page, csv, parquet, png, sources_csv, forecast_csv, words_csv, lineage_csv: paths of the files; not stored, as the
    workspace may move.
    """

    stage: ClassVar[str] = "monitor"

    undated: int
    periods: tuple[PeriodEstimates, ...]
    prevalence: DrawnMethod
    removed: RemovedComments
    overall: TotalEstimates
    sources: tuple[SourceEstimates, ...]
    changes: dict[Every, tuple[LevelChange, ...]]
    sensitivity: WeightSensitivity | None
    series: tuple[SeriesCorrelations, ...]
    events: tuple[DatedEvent, ...]
    forecast: tuple[ForecastFigures, ...]
    words: WordsFigures | None
    page: str | None = None
    csv: str | None = None
    parquet: str | None = None
    png: str | None = None
    sources_csv: str | None = None
    forecast_csv: str | None = None
    words_csv: str | None = None
    lineage_csv: str | None = None

    @model_serializer(mode="wrap")
    def _leave_out_unknown_paths(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return {key: value for key, value in values.items() if value is not None or key not in PATHS}
