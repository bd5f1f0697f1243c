"""Memory does not grow with the comments: the benchmark, on few of them."""

import pytest

from benchmarks.infer_memory import compare


@pytest.mark.slow
def test_five_times_the_comments_take_no_more_memory() -> None:
    told = compare(few=20_000, many=100_000, shard_rows=2_000)
    assert told["many"]["rows"] == 100_000
    assert told["many"]["unique"] < 95_000
    assert told["ratio"] < 1.05
