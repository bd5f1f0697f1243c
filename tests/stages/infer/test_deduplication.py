"""Texts that an earlier shard holds are found there, on disk, with their probabilities."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.infer.deduplication import NOWHERE, DeduplicationIndex
from stages.infer.shard_schema import Floats, Keys

LABELS = ("anger", "joy")


def keys(*values: int) -> Keys:
    return np.array(values, np.int64)


def probability(key: int) -> float:
    return 1 / (2 + abs(key))


def write(path: Path, given: Keys) -> Path:
    joy: Floats = np.array([probability(key) for key in given.tolist()], np.float32)
    pq.write_table(pa.table({"key": given, "p_anger": 1 - joy, "p_joy": joy}), path)
    return path


@pytest.fixture
def index(tmp_path: Path) -> DeduplicationIndex:
    index = DeduplicationIndex(LABELS)
    index.add(write(tmp_path / "0.parquet", keys(7, -3, 7)))
    index.begin(keys(9, 5))
    return index


def test_a_text_is_found_in_the_first_shard_that_has_it(index: DeduplicationIndex) -> None:
    index.begin(keys(5, 7))
    assert index.where(keys(-3, 4, 5, 7, 9)).tolist() == [0, NOWHERE, 1, 0, 1]
    assert index.where(keys()).tolist() == []


def test_probabilities_are_those_that_were_written(index: DeduplicationIndex, tmp_path: Path) -> None:
    index.written(1, write(tmp_path / "1.parquet", keys(9, 5)))
    wanted = keys(-3, 5, 7, 9)
    found = index.probabilities(wanted, index.where(wanted))
    joy = [probability(key) for key in wanted.tolist()]
    assert found == pytest.approx(np.array([[1 - p, p] for p in joy]), abs=1e-6)
    assert found.dtype == np.float32


def test_a_shard_of_an_older_version_has_no_keys_and_is_ignored(tmp_path: Path) -> None:
    pq.write_table(pa.table({"label": ["joy"]}), tmp_path / "old.parquet")
    index = DeduplicationIndex(LABELS)
    index.add(tmp_path / "old.parquet")
    assert index.where(keys(1)).tolist() == [NOWHERE]
