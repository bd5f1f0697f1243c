"""Forecast, words and lineage as CSV and Parquet, for spreadsheets and other programs."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.monitor.analysis.forecast import Forecast, Withheld
from stages.monitor.report.context import Context
from stages.monitor.schema.line import Line, periods_of
from storage.files.atomic_write import write_whole

FORECAST = pa.schema(
    {
        "every": pa.string(),
        "origin": pa.date32(),
        "start": pa.date32(),
        "step": pa.int64(),
        "value": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "observed": pa.float64(),
        "naive": pa.float64(),
        "seasonal_naive": pa.float64(),
    }
)
WORDS = pa.schema(
    {
        "every": pa.string(),
        "start": pa.date32(),
        "label": pa.string(),
        "against": pa.string(),
        "word": pa.string(),
        "authors": pa.int64(),
        "z": pa.float64(),
    }
)
LINEAGE = pa.schema(
    {
        "every": pa.string(),
        "start": pa.date32(),
        "n": pa.int64(),
        "shard": pa.string(),
        "file_sha256": pa.string(),
        "first_row": pa.int64(),
        "rows": pa.int64(),
        "model": pa.string(),
    }
)
Row = tuple[object, ...]


def write_context(line: Line, context: Context, folder: Path) -> None:
    """Writes forecast, words and lineage, each as NAME.csv and NAME.parquet; without rows where there is nothing.

    forecast: one row a forecast period: `origin`, the last period known; `start`, that which is forecast, `step`
    periods later; value, low, high (95 %), 0 to 100. Those with an `observed` index are the backtest, beside two naive
    forecasts; the others are ahead of us. words: `every` and `start` are null for the whole time. lineage: one row for
    each period and shard that holds comments of it. CSVs are UTF-8 with a byte order mark, like the line's.
    """
    _write(folder, "forecast", FORECAST, list(_forecast_rows(context.forecasts)))
    _write(folder, "words", WORDS, list(_word_rows(context)))
    _write(folder, "lineage", LINEAGE, list(_lineage_rows(line, context)))


def _forecast_rows(forecasts: Sequence[Forecast | Withheld]) -> Iterator[Row]:
    for forecast in forecasts:
        if isinstance(forecast, Withheld):
            continue
        for t in forecast.trials:
            told = (t.value, t.low, t.high, t.observed, t.naive, t.seasonal)
            yield (forecast.every, t.origin, t.start, t.step, *told)
        for step, ahead in enumerate(forecast.ahead, start=1):
            yield (forecast.every, forecast.last, ahead.start, step, ahead.value, ahead.low, ahead.high, *[None] * 3)


def _word_rows(context: Context) -> Iterator[Row]:
    for told in context.words.told if context.words else ():
        at = (told.period.every, told.period.start) if told.period else (None, None)
        for word in told.words:
            yield (*at, told.label, told.against, word.text, word.n, word.z)


def _lineage_rows(line: Line, context: Context) -> Iterator[Row]:
    if context.origins is None:
        return
    shards = context.origins.shards
    for every, found in context.origins.periods.items():
        for period, stretches in zip(periods_of(line, every), found, strict=True):
            for shard in (shard for first, last in stretches for shard in shards[first : last + 1]):
                yield (every, period.start, period.n, shard.name, shard.file, shard.first_row, shard.rows, shard.model)


def _write(folder: Path, name: str, schema: pa.Schema, rows: Sequence[Row]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in schema]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
    write_whole(folder / f"{name}.parquet", sink.getvalue())
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(schema.names)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    write_whole(folder / f"{name}.csv", text.getvalue().encode("utf-8-sig"))
