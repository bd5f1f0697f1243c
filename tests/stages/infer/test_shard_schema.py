"""The columns of a shard, and a disk that is full while one is written."""

import errno
import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from stages.infer.shard_schema import entropy, key_numbers, publish_shard, shard_table
from stages.runtime.run_context import Run
from transfer.errors import UserError

ROWS = pa.table({name: ["a", "b"] for name in ("id", "time", "author", "source", "text")})
PROBABILITIES = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)


def table() -> pa.Table:
    return shard_table(ROWS, np.array([1, -1]), [3, None], PROBABILITIES, ["분노", "기쁨"], "f00")


def test_a_shard_has_the_label_of_the_largest_probability_and_no_text() -> None:
    made = table()
    columns = ["id", "time", "author", "source", "near", "key", "label", "p_분노", "p_기쁨", "entropy", "model"]
    assert made.column_names == columns
    assert made.column("label").to_pylist() == ["기쁨", "분노"]
    assert made.column("near").to_pylist() == [3, None]
    assert made.column("p_기쁨").to_pylist() == [0.75, 0.0]
    assert made.column("model").to_pylist() == ["f00", "f00"]
    assert made.schema.metadata == {b"moodline.model": b"f00"}


def test_entropy_is_in_nats_and_none_where_one_label_is_certain() -> None:
    found = entropy(np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]], np.float32))
    assert found == pytest.approx([math.log(2), 0.0, 0.5623], abs=1e-4)
    assert found.dtype == np.float32


def test_keys_are_numbers_of_64_bits_with_a_sign() -> None:
    keys = pa.chunked_array([["0000000000000001"], ["ffffffffffffffff", "7fffffffffffffff"]])
    assert key_numbers(keys).tolist() == [1, -1, 2**63 - 1]


def test_a_shard_is_published_whole_under_its_name(a_run: Callable[..., Run]) -> None:
    run = a_run()
    publish_shard(run, table(), "shards/f00/0.parquet")
    assert run.files.exists("shards/f00/0.parquet")
    assert list(run.scratch.iterdir()) == []


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, UserError), (errno.EIO, OSError)])
def test_a_full_disk_is_named_and_leaves_nothing(
    a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    def full(made: pa.Table, path: object, **_: object) -> None:
        raise OSError(number, "no room")

    run = a_run()
    monkeypatch.setattr("stages.infer.shard_schema.pq.write_table", full)
    with pytest.raises(expected) as caught:
        publish_shard(run, table(), "shards/f00/0.parquet")
    assert ("no room for a shard of 2 comments" in str(caught.value)) is (number == errno.ENOSPC)
    assert not run.files.exists("shards/f00/0.parquet")
