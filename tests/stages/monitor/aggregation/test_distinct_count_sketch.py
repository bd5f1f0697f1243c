import numpy as np

from stages.monitor.aggregation.distinct_count_sketch import distinct_clusters, smallest_hashes


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
