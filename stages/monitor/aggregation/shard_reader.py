"""Reading shards of classified comments: which columns they must have, their rows in batches, their times."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.monitor.schema.calendar import EARLIEST, LATEST
from transfer.errors import UserError

ROWS = 65_536  # of a batch: 13 MB of resampling weights
NEAR = "near"  # shards of older versions do not have it


def probability_columns(labels: Sequence[str]) -> list[str]:
    return [f"p_{label}" for label in labels]


def rows_of_checked(shard: Path, labels: Sequence[str]) -> int:
    """Rows of a shard that has all the columns. Raises UserError where one is missing."""
    with pq.ParquetFile(shard) as file:
        there = file.schema_arrow.names
        for name in ["id", "time", "author", "source", "label", *probability_columns(labels)]:
            if name not in there:
                raise UserError(f"{shard}: no column {name!r}", f"its columns: {', '.join(there)}")
        return int(file.metadata.num_rows)


def all_have(shards: Sequence[Path], column: str) -> bool:
    """Whether all shards have this column, such as NEAR."""
    return all(column in pq.read_schema(shard).names for shard in shards)


def batches(shards: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows in batches, each with these columns alone."""
    for shard in shards:
        with pq.ParquetFile(shard) as file:
            yield from file.iter_batches(ROWS, columns=list(columns))


def dated(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """The rows with a time that can be, and those times, as in instants."""
    is_dated, times = instants(batch)
    return batch.filter(pa.array(is_dated)), times


def instants(batch: pa.RecordBatch) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which rows have a time that can be, and those times in microseconds since 1970, UTC."""
    column = batch.column("time").cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    times = column.fill_null(EARLIEST - 1).to_numpy(zero_copy_only=False)
    is_dated = (times >= EARLIEST) & (times < LATEST)
    return is_dated, times[is_dated]
