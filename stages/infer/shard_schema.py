"""The Parquet file of one shard: its columns, and how it is published complete or not at all."""

import errno
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.runtime.run_context import Run
from transfer.errors import UserError

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
KEY = "key"


def shard_table(
    rows: pa.Table, keys: Keys, near: Sequence[int | None], probabilities: Floats, labels: Sequence[str], model: str
) -> pa.Table:
    """id, time, author, source, near (near_key of the text), key (of the normalised text), label, p_LABEL for each
    label, entropy (in nats, 0 to log K), model (the predictor's fingerprint); in the order of `rows`.

    probabilities: (N, K) float32, rows sum to 1.
    """
    predicted = pa.DictionaryArray.from_arrays(pa.array(probabilities.argmax(axis=1), pa.int32()), pa.array(labels))
    columns: dict[str, Any] = {
        **{name: rows.column(name) for name in ("id", "time", "author", "source")},
        "near": pa.array(near, pa.int64()),
        KEY: pa.array(keys, pa.int64()),
        "label": predicted.dictionary_decode(),
        **{f"p_{label}": pa.array(probabilities[:, k], pa.float32()) for k, label in enumerate(labels)},
        "entropy": pa.array(entropy(probabilities), pa.float32()),
        "model": pa.array([model], pa.string()).take(pa.array(np.zeros(len(keys), np.int64))),
    }
    return pa.table(columns).replace_schema_metadata({"moodline.model": model})


def entropy(probabilities: Floats) -> Floats:
    """(N,) float32: -Σ p log p of each row of (N, K), in nats; 0 where one label has probability 1."""
    p = probabilities.astype(np.float64)
    found: Floats = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1).astype(np.float32)
    return np.maximum(found, np.float32(0))


def key_numbers(keys: pa.ChunkedArray) -> Keys:
    """(N,) int64 of comments' keys, 16 hexadecimal digits each."""
    raw = bytes.fromhex("".join(keys.to_pylist()))
    return np.frombuffer(raw, dtype=">i8").astype(np.int64)


def publish_shard(run: Run, table: pa.Table, name: str) -> None:
    """Writes the table and puts it under its name in files; an incomplete file is never left.

    Raises UserError where the disk is full.
    """
    local = run.scratch / f"shard-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    try:
        pq.write_table(table, local, compression="zstd")
        run.files.publish(local, name)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise UserError(
                f"no room for a shard of {table.num_rows:,} comments on the disk of {run.root}: {error.strerror}",
                "make room, or set workspace: or files: to another disk",
                "then run again: all shards that were written are kept",
            ) from error
        raise
    finally:
        local.unlink(missing_ok=True)
