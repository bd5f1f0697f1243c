"""What varies together: the author of a comment, else its source, else the comment alone.

Knows how clusters are named by 64-bit hashes, and how distinct ones are counted in bounded memory.
"""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Groups = NDArray[np.int64]

# Distinct clusters are exact below this many in a period; above, the standard error is 1 / √(1024 − 2) = 3 %.
SKETCH = 1024
KINDS = ("author", "source", "comment")


def cluster_hashes(batch: pa.RecordBatch) -> tuple[Hashes, dict[str, int]]:
    """The cluster of each row as a 64-bit hash, and how many rows are clustered by author, source and comment.

    batch: columns author, source and id, strings, nullable. Returns (N,) uint64, equal on every machine and in every
    run (BLAKE2b of the name), near enough uniform to serve as random keys.
    """
    columns = [_text(batch.column(name)) for name in ("author", "source", "id")]
    named = [pc.binary_join_element_wise(kind, text, " ") for kind, text in zip(KINDS, columns, strict=True)]
    names = pc.dictionary_encode(pc.coalesce(*named, "comment "))
    hashed = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names.dictionary.to_pylist())
    rows_with_author = len(batch) - columns[0].null_count
    rows_with_source = pc.sum(pc.and_(pc.is_null(columns[0]), pc.is_valid(columns[1])), min_count=0).as_py()
    kinds = (rows_with_author, rows_with_source, len(batch) - rows_with_author - rows_with_source)
    hashes = np.frombuffer(hashed, "<u8").astype(np.uint64)
    return hashes[names.indices.to_numpy()], dict(zip(KINDS, kinds, strict=True))


def _text(column: pa.Array) -> pa.Array:
    """As plain strings; an empty name is no name."""
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)


def smallest_hashes(groups: Groups, hashes: Hashes) -> tuple[Groups, Hashes]:
    """The SKETCH smallest distinct hashes of each group, sorted by group, then hash.

    groups, hashes: (N,). What is left out can change no count: of two such sketches joined, the smallest are the same.
    """
    order = np.lexsort((hashes, groups))
    groups, hashes = groups[order], hashes[order]
    is_new = np.ones(len(groups), bool)
    is_new[1:] = (groups[1:] != groups[:-1]) | (hashes[1:] != hashes[:-1])
    groups, hashes = groups[is_new], hashes[is_new]
    kept = np.arange(len(groups)) - np.searchsorted(groups, groups) < SKETCH
    return groups[kept], hashes[kept]


def distinct_clusters(groups: Groups, hashes: Hashes, n_groups: int) -> Groups:
    """The number of distinct hashes in each group: exact below SKETCH, else estimated.

    groups: (N,) int64 in [0, n_groups). Returns (n_groups,) int64.
    Beyer et al., Distinct-value synopses for multiset operations (CACM 2009): (k − 1) / u, where u in (0, 1] is the
    k-th smallest hash.
    """
    groups, hashes = smallest_hashes(groups, hashes)
    counts = np.bincount(groups, minlength=n_groups)
    full = np.flatnonzero(counts == SKETCH)
    largest = hashes[np.searchsorted(groups, full, side="right") - 1].astype(np.float64) / 2.0**64
    counts[full] = np.rint((SKETCH - 1) / largest)
    return counts
