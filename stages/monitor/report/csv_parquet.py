"""The line as CSV, one row a period, for spreadsheets; and as Parquet, one row a figure, for other programs."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.monitor.schema.line import Estimate, Line, Period, is_whole
from storage.files.atomic_write import write_whole

COLUMNS = {
    "every": pa.string(),
    "start": pa.date32(),
    "n": pa.int64(),
    "clusters": pa.int64(),
    "method": pa.string(),
    "is_drawn": pa.bool_(),
    "label": pa.string(),
    "value": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
}


def write_sources(line: Line, path: Path) -> None:
    """Writes the periods of each source that is followed over time: write_csv's columns behind that of the source."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["source", *_header(line)])
    rows.writerows([source.name, *_row(line, period)] for source in line.sources for period in source.periods)
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def write_csv(line: Line, path: Path) -> None:
    """Writes every period, gaps with empty cells.

    Columns: every (day, week or month), start (first day, ISO 8601, of the plan's time zone), n, clusters, per label
    share_LABEL, share_LABEL_low, share_LABEL_high and probability_LABEL (0 to 1); the same shares and index by every
    method there is, METHOD_LABEL and METHOD_index with _low and _high; which of them is drawn; index, index_low,
    index_high (0 to 100, empty without weights); is_whole, 0 for a first or last period that the comments do not reach
    across. UTF-8 with a byte order mark: without one Excel garbles Korean;
    pandas, R and pyarrow skip it, and Python's csv does when the file is opened as utf-8-sig.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(_header(line))
    rows.writerows(_row(line, period) for period in line.periods)
    write_whole(path, text.getvalue().encode("utf-8-sig"))


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
        yield from _cells(share, digits=6)
        yield _cell(period.probabilities[label], digits=6)
    for method in line.choice.methods:
        figures = period.methods.get(method)
        for label in line.labels:
            yield from _cells(figures.shares[label] if figures else None, digits=6)
        yield from _cells(figures.index if figures else None, digits=4)
    yield line.choice.drawn
    yield from _cells(period.index, digits=4)
    yield int(is_whole(line, period))


def write_parquet(line: Line, path: Path) -> None:
    """Writes one row for each period, method and label, for programs; `label` is null in the rows of the index.

    Columns: every, start (date), n, clusters, method, is_drawn, label, value, low, high (shares 0 to 1, index 0 to
    100). Gaps have no rows.
    """
    rows: list[tuple[object, ...]] = []
    for period in line.periods:
        at = (period.every, period.start, period.n, period.clusters)
        for method, figures in period.methods.items():
            told = [*figures.shares.items(), *([(None, figures.index)] if figures.index else [])]
            drawn = method == line.choice.drawn
            rows += [(*at, method, drawn, label, e.value, e.low, e.high) for label, e in told]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in COLUMNS]
    table = pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=pa.schema(list(COLUMNS.items())))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    write_whole(path, sink.getvalue())


def _cells(estimate: Estimate | None, digits: int) -> Iterator[str]:
    for value in (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None):
        yield _cell(value, digits)


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
