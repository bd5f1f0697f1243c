"""The line, its forecast, words and lineage as CSV, for spreadsheets, and as Parquet, for other programs."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.monitor.analysis.forecast import Forecast, NoForecast
from stages.monitor.report.page_context import Context
from stages.monitor.schema.line import Estimate, Line, Period, is_whole, periods_of
from storage.files.atomic_write import write_whole

TEXT, DAY, WHOLE, REAL = pa.string(), pa.date32(), pa.int64(), pa.float64()
PERIOD = {"every": TEXT, "start": DAY}
BAND = dict.fromkeys(("value", "low", "high"), REAL)
FIGURES = pa.schema(
    {**PERIOD, "n": WHOLE, "clusters": WHOLE, "method": TEXT, "is_drawn": pa.bool_(), "label": TEXT, **BAND}
)
FORECAST = pa.schema(
    {"every": TEXT, "origin": DAY, "start": DAY, "step": WHOLE, **BAND}
    | dict.fromkeys(("observed", "naive", "seasonal_naive"), REAL)
)
WORDS = pa.schema({**PERIOD, "label": TEXT, "against": TEXT, "word": TEXT, "authors": WHOLE, "z": REAL})
LINEAGE = pa.schema(
    {**PERIOD, "n": WHOLE, "shard": TEXT, "file_sha256": TEXT, "first_row": WHOLE, "rows": WHOLE, "model": TEXT}
)
Row = Sequence[object]


def write_csv(line: Line, path: Path) -> None:
    """Writes every period, gaps with empty cells.

    Columns: every (day, week or month), start (first day, ISO 8601, of the plan's time zone), n, clusters, per label
    share_LABEL, share_LABEL_low, share_LABEL_high and probability_LABEL (0 to 1); the same shares and index by every
    method there is, METHOD_LABEL and METHOD_index with _low and _high; which of them is drawn; index, index_low,
    index_high (0 to 100, empty without weights); is_whole, 0 for a first or last period that the comments do not reach
    across. UTF-8 with a byte order mark: without one Excel garbles Korean; pandas, R and pyarrow skip it, and Python's
    csv does when the file is opened as utf-8-sig.
    """
    _write_csv(path, _header(line), (list(_row(line, period)) for period in line.periods))


def write_sources(line: Line, path: Path) -> None:
    """Writes the periods of each source that is followed over time: that of the source, then write_csv's columns."""
    rows = ([source.name, *_row(line, period)] for source in line.sources for period in source.periods)
    _write_csv(path, ["source", *_header(line)], rows)


def write_parquet(line: Line, path: Path) -> None:
    """Writes one row for each period, method and label, for programs; `label` is null in the rows of the index.

    Columns: every, start (date), n, clusters, method, is_drawn, label, value, low, high (shares 0 to 1, index 0 to
    100). Gaps have no rows.
    """
    rows: list[Row] = []
    for period in line.periods:
        at = (period.every, period.start, period.n, period.clusters)
        for method, figures in period.methods.items():
            found = [*figures.shares.items(), *([(None, figures.index)] if figures.index else [])]
            is_drawn = method == line.choice.drawn
            rows += [(*at, method, is_drawn, label, e.value, e.low, e.high) for label, e in found]
    _write_parquet(path, FIGURES, rows)


def write_context(line: Line, context: Context, folder: Path) -> None:
    """Writes forecast, words and lineage, each as NAME.csv and NAME.parquet; without rows where there is nothing.

    forecast: one row a forecast period: `origin`, the last period known; `start`, that which is forecast, `step`
    periods later; value, low, high (95 %), 0 to 100. Those with an `observed` index are the backtest, with two naive
    forecasts; the others are of periods to come. words: `every` and `start` are null for the whole time. lineage: one
    row for each period and shard with comments of it. CSVs are UTF-8 with a byte order mark, like the line's.
    """
    tables = {
        "forecast": (FORECAST, _forecast_rows(context.forecasts)),
        "words": (WORDS, _word_rows(context)),
        "lineage": (LINEAGE, _lineage_rows(line, context)),
    }
    for name, (schema, found) in tables.items():
        rows = list(found)
        _write_parquet(folder / f"{name}.parquet", schema, rows)
        _write_csv(folder / f"{name}.csv", schema.names, rows)


def _header(line: Line) -> list[str]:
    names = ["every", "start", "n", "clusters"]
    for label in line.labels:
        names += [f"share_{label}", f"share_{label}_low", f"share_{label}_high", f"probability_{label}"]
    for method in line.choice.methods:
        for what in (*line.labels, "index"):
            names += [f"{method}_{what}", f"{method}_{what}_low", f"{method}_{what}_high"]
    return [*names, "drawn", "index", "index_low", "index_high", "is_whole"]


def _row(line: Line, period: Period) -> Iterator[object]:
    yield from (period.every, period.start.isoformat(), period.n, period.clusters)
    for label, share in period.shares.items():
        probability = period.probabilities[label]
        yield from (*_cells(share, digits=6), "" if probability is None else f"{probability:.6f}")
    for method in line.choice.methods:
        figures = period.methods.get(method)
        for label in line.labels:
            yield from _cells(figures.shares[label] if figures else None, digits=6)
        yield from _cells(figures.index if figures else None, digits=4)
    yield line.choice.drawn
    yield from _cells(period.index, digits=4)
    yield int(is_whole(line, period))


def _cells(estimate: Estimate | None, digits: int) -> Iterator[str]:
    for value in (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None):
        yield "" if value is None else f"{value:.{digits}f}"


def _forecast_rows(forecasts: Sequence[Forecast | NoForecast]) -> Iterator[Row]:
    for forecast in forecasts:
        if isinstance(forecast, NoForecast):
            continue
        every = forecast.every
        for t in forecast.trials:
            yield (every, t.origin, t.start, t.step, t.value, t.low, t.high, t.observed, t.naive, t.seasonal)
        for step, point in enumerate(forecast.points, start=1):
            yield (every, forecast.last, point.start, step, point.value, point.low, point.high, None, None, None)


def _word_rows(context: Context) -> Iterator[Row]:
    for found in context.words.lists if context.words else ():
        at = (found.period.every, found.period.start) if found.period else (None, None)
        for word in found.words:
            yield (*at, found.label, found.against, word.text, word.n, word.z)


def _lineage_rows(line: Line, context: Context) -> Iterator[Row]:
    if context.origins is None:
        return
    shards = context.origins.shards
    for every, found in context.origins.periods.items():
        for period, stretches in zip(periods_of(line, every), found, strict=True):
            for shard in (shard for first, last in stretches for shard in shards[first : last + 1]):
                yield (every, period.start, period.n, shard.name, shard.file, shard.first_row, shard.rows, shard.model)


def _write_csv(path: Path, header: Row, rows: Iterable[Row]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)  # None becomes an empty cell
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def _write_parquet(path: Path, schema: pa.Schema, rows: Sequence[Row]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in schema]
    content = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), content, compression="zstd")
    write_whole(path, content.getvalue())
