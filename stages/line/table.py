"""The line as CSV, one row a period, for spreadsheets and other programs."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from stages.line.series import Estimate, Line, Period
from stages.line.whole import write_whole


def write_csv(line: Line, path: Path) -> None:
    """Writes every period, gaps with empty cells.

    Columns: every (day, week or month), start (first day, ISO 8601, of the plan's time zone), n, clusters, per label
    share_LABEL, share_LABEL_low, share_LABEL_high and probability_LABEL (0 to 1), index, index_low, index_high (0 to
    100, empty without weights). UTF-8 with a byte order mark: without one Excel garbles Korean; pandas, R and pyarrow
    skip it, and Python's csv does when the file is opened as utf-8-sig.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(_header(line))
    rows.writerows(_row(period) for period in line.periods)
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def _header(line: Line) -> list[str]:
    names = ["every", "start", "n", "clusters"]
    for label in line.labels:
        names += [f"share_{label}", f"share_{label}_low", f"share_{label}_high", f"probability_{label}"]
    return [*names, "index", "index_low", "index_high"]


def _row(period: Period) -> Iterator[object]:
    yield from (period.every, period.start.isoformat(), period.n, period.clusters)
    for label, share in period.shares.items():
        yield from _cells(share, digits=6)
        yield _cell(period.probabilities[label], digits=6)
    yield from _cells(period.index, digits=4)


def _cells(estimate: Estimate | None, digits: int) -> Iterator[str]:
    for value in (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None):
        yield _cell(value, digits)


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
