"""A month of comments, most of them angry on the day of a storm, and their shard."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transfer.text.cleaning import key_hash
from transfer.text.near_duplicates import near_key

LABELS = ("anger", "joy")


STORM = 20  # the day on which many are angry about a storm


Comment = tuple[str, int, str, str, str]  # id, day, author, label, text


def comments() -> list[Comment]:
    """30 days of 60 comments, each by another author, one in four angry; on one day most are, about the storm."""
    rng, found = np.random.default_rng(2), list[Comment]()
    for day in range(30):
        for i in range(60):
            is_angry = rng.random() < (0.8 if day == STORM else 0.25)
            about = " 폭풍 blackout" if day == STORM and is_angry else ""
            text = (
                f"짜증 awful 😡 {about} number {i} of day {day}"
                if is_angry
                else f"최고 😀 great number {i} of day {day}"
            )
            found.append((f"c{day}-{i}", day, f"a{day}-{i}", "anger" if is_angry else "joy", text))
    # one author who says it again and again, and a name that few say
    found += [(f"z{i}", STORM, "one", "anger", f"conspiracy number {i}") for i in range(40)]
    return found + [(f"n{i}", STORM, f"few{i}", "anger", f"김철수 {i}") for i in range(4)]


def write_comments(path: Path, rows: Sequence[Comment]) -> Path:
    start = datetime(2024, 1, 1, 9, tzinfo=UTC)
    keys = [int.from_bytes(bytes.fromhex(key_hash(text)), "big", signed=True) for *_, text in rows]
    columns = {
        "id": [row[0] for row in rows],
        "time": pa.array([start + timedelta(days=row[1], seconds=i) for i, row in enumerate(rows)]),
        "author": [row[2] for row in rows],
        "source": pa.nulls(len(rows), pa.string()),
        "near": pa.array([near_key(row[4]) for row in rows], pa.int64()),
        "key": pa.array(keys, pa.int64()),
        "label": [row[3] for row in rows],
        **{f"p_{k}": pa.array([0.9 if row[3] == k else 0.1 for row in rows], pa.float32()) for k in LABELS},
    }
    pq.write_table(pa.table(columns), path)
    return path
