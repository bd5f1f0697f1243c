"""Shards of classified comments, written by hand or at random."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line, Period

LABELS = ("분노", "슬픔", "중립", "기쁨")
WEIGHTS = {"분노": -1.0, "슬픔": -1.0, "중립": 0.0, "기쁨": 1.0}

Row = tuple[datetime | None, str | None, str | None, str]  # time, author, source, label


def write_shard(path: Path, rows: Sequence[Row], labels: Sequence[str] = LABELS) -> Path:
    times, authors, sources, given = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "id": pa.array([f"{path.stem}-{i}" for i in range(len(rows))]),
        "time": pa.array(times, pa.timestamp("us", tz="UTC")),
        "author": pa.array(authors, pa.string()),
        "source": pa.array(sources, pa.string()),
        "label": pa.array(given, pa.string()),
    }
    for label in labels:  # a classifier that is sure by 0.7
        sure = [0.7 if label == row else 0.3 / (len(labels) - 1) for row in given]
        columns[f"p_{label}"] = pa.array(sure, pa.float32())
    pq.write_table(pa.table(columns), path)
    return path


def random_rows(n: int, days: int, seed: int = 3, labels: Sequence[str] = LABELS) -> list[Row]:
    """Comments at random times from 2024-01-01 on, by n // 4 authors who each lean to one label."""
    rng = np.random.default_rng(seed)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    rows: list[Row] = []
    for second, author in zip(rng.integers(0, days * 86_400, n), rng.integers(0, n // 4, n), strict=True):
        label = author % len(labels) if rng.random() < 0.5 else rng.integers(len(labels))
        rows.append((start + timedelta(seconds=int(second)), f"a{author}", f"v{author % 7}", labels[int(label)]))
    return rows


NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


WriteShard = Callable[..., Path]


def line_from(shards: Sequence[Path], *, seed: int = 13, **settings: object) -> Line:
    given = {"weights": WEIGHTS, "min_comments": 1, "min_clusters": 2, **settings}
    return daily_line(shards, LABELS, IndexSettings.model_validate(given), seed)


def periods_of(line: Line, every: str) -> list[Period]:
    return [period for period in line.periods if period.every == every]


def shares_of(period: Period) -> list[float | None]:
    return [share.value if share else None for share in period.shares.values()]
