"""What the monitor stage gives: the daily line's estimates, how they came about, and the files that show them.

The keys are those of `--json`, and of the results that 0.1.0 stored.
"""

from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from stages.monitor.analysis.backtest import Backtest
from stages.monitor.analysis.change_points import Change
from stages.monitor.analysis.cross_correlation import Correlation
from stages.monitor.analysis.events import Event
from stages.monitor.analysis.forecast import ForecastPoint
from stages.monitor.analysis.outlier_periods import OutlierPeriod
from stages.monitor.analysis.weight_sensitivity import Sensitivity
from stages.monitor.schema.index_settings import Every, Method
from stages.monitor.schema.line import Estimate, Figures
from stages.results.stage_result import Record, StageResult

KnownPath = Annotated[str | None, Field(exclude_if=lambda path: path is None)]  # on this machine


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
    raw: Figures | None = None

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return values if "raw" in self.model_fields_set else {k: v for k, v in values.items() if k != "raw"}


class TotalEstimates(Record):
    """All dated comments together, or those of one source. methods: none where there are too few comments."""

    name: str
    n: int
    clusters: int
    methods: dict[Method, Figures]


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


class SeriesCorrelations(Record):
    """Another series. drawn, raw: correlations by lag with the index as drawn and as counted; steps: of the changes."""

    name: str
    drawn: tuple[Correlation, ...]
    raw: tuple[Correlation, ...]
    steps: tuple[Correlation, ...]


class ForecastFigures(Record):
    """Of one length of period. why: the reason where there is none; then periods and backtest are None."""

    every: Every
    why: str | None
    periods: tuple[ForecastPoint, ...] | None
    backtest: Backtest | None


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
    standing: tuple[OutlierPeriod, ...]
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
    changes: dict[Every, tuple[Change, ...]]
    sensitivity: Sensitivity | None
    series: tuple[SeriesCorrelations, ...]
    events: tuple[Event, ...]
    forecast: tuple[ForecastFigures, ...]
    words: WordsFigures | None
    page: KnownPath = None
    csv: KnownPath = None
    parquet: KnownPath = None
    png: KnownPath = None
    sources_csv: KnownPath = None
    forecast_csv: KnownPath = None
    words_csv: KnownPath = None
    lineage_csv: KnownPath = None
