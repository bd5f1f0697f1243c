import numpy as np
import pyarrow as pa

from stages.monitor.aggregation.cluster_ids import cluster_hashes, distinct_clusters, smallest_hashes


def batch(authors: list[str | None], sources: list[str | None]) -> pa.RecordBatch:
    ids = [str(i) for i in range(len(authors))]
    columns = [pa.array(authors, pa.string()), pa.array(sources, pa.string()), pa.array(ids)]
    return pa.RecordBatch.from_arrays(columns, names=["author", "source", "id"])


def test_comments_go_together_by_author_else_by_source_else_stand_alone() -> None:
    rows = batch(["kim", "kim", None, "", None, None], ["v1", "v2", "v1", "v1", None, None])
    hashes, kinds = cluster_hashes(rows)
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3]
    assert len(set(hashes.tolist())) == 4
    assert kinds == {"author": 2, "source": 2, "comment": 2}


def test_an_author_and_a_source_of_one_name_are_two_clusters() -> None:
    hashes, _ = cluster_hashes(batch(["same", None], [None, "same"]))
    assert hashes[0] != hashes[1]


def test_few_clusters_are_counted_exactly_and_many_within_ten_per_cent() -> None:
    rng = np.random.default_rng(1)
    few = rng.integers(0, 2**64, 900, dtype=np.uint64)
    many = rng.integers(0, 2**64, 50_000, dtype=np.uint64)
    groups = np.repeat([0, 0, 2], [900, 900, 50_000])
    counts = distinct_clusters(groups, np.concatenate([few, few, many]), 3)
    assert counts[:2].tolist() == [900, 0]
    assert abs(counts[2] / 50_000 - 1) < 0.1


def test_sketches_joined_count_like_the_whole() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**64, 9_000, dtype=np.uint64)
    groups = np.zeros(9_000, np.int64)
    parts = [smallest_hashes(groups[i : i + 3_000], hashes[i : i + 3_000]) for i in (0, 3_000, 6_000)]
    joined = smallest_hashes(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
    assert distinct_clusters(*joined, 1) == distinct_clusters(groups, hashes, 1)
