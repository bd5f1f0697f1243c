import pyarrow as pa

from stages.monitor.aggregation.cluster_ids import cluster_hashes


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
