"""What varies together: the author of a comment, or its source; where there is neither, the comment alone.

Knows how clusters are named by 64-bit hashes, and how distinct ones are counted in bounded memory.
"""

from collections.abc import Mapping
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
COLUMNS = {"author": "author", "source": "source", "comment": "id"}
PENDING = 500_000  # pairs of group and cluster before they are folded into sketches


def cluster_hashes(batch: pa.RecordBatch, by: str = "author") -> tuple[Hashes, dict[str, int]]:
    """The cluster of each row as a 64-bit hash, and how many rows are clustered by author, source and comment.

    batch: columns author, source and id, strings, nullable. by: "author", else the source, else the comment; "source":
    the source, else the comment, for names that are masked; "voice": the author, else the comment;
    "comment": the comment.
    Returns (N,) uint64, equal on every machine and in every run (BLAKE2b of the name), near enough uniform to serve as
    random keys.
    """
    kinds = {"author": KINDS, "source": KINDS[1:], "voice": (KINDS[0], KINDS[2]), "comment": KINDS[2:]}[by]
    columns = {kind: _text(batch.column(COLUMNS[kind])) for kind in kinds}
    named = [pc.binary_join_element_wise(kind, text, " ") for kind, text in columns.items()]
    names = pc.dictionary_encode(pc.coalesce(*named, "comment "))
    hashed = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names.dictionary.to_pylist())
    hashes = np.frombuffer(hashed, "<u8").astype(np.uint64)
    return hashes[names.indices.to_numpy()], _counted(columns, len(batch))


def _counted(columns: Mapping[str, pa.Array], rows: int) -> dict[str, int]:
    """Rows by the first kind that names them; a row that nothing names is a comment."""
    left, counts = pa.array(np.ones(rows, bool)), dict.fromkeys(KINDS, 0)
    for kind, text in columns.items():
        counts[kind] = pc.sum(pc.and_(left, pc.is_valid(text)), min_count=0).as_py()
        left = pc.and_(left, pc.is_null(text))
    counts["comment"] += pc.sum(left, min_count=0).as_py()
    return counts


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


class Sketch:
    """Distinct clusters of groups, remembered by their smallest hashes."""

    def __init__(self) -> None:
        self._pairs: list[tuple[Groups, Hashes]] = []
        self._pending = 0

    def add(self, groups: Groups, hashes: Hashes) -> None:
        """Takes in rows: (N,) their groups, (N,) their clusters."""
        self._pairs.append((groups, hashes))
        self._pending += len(groups)
        if self._pending > PENDING:
            self._pairs = [self._folded()]
            self._pending = 0

    def counts(self, holder: Groups) -> Groups:
        """Distinct clusters of groups of groups: holder (G,) says in which each group is. Returns (max holder + 1,).
        A negative holder leaves its group out."""
        groups, hashes = self._folded()
        held = holder[groups]
        return distinct_clusters(held[held >= 0], hashes[held >= 0], int(holder.max()) + 1)

    def _folded(self) -> tuple[Groups, Hashes]:
        groups, hashes = (np.concatenate(parts) for parts in zip(*self._pairs, strict=True))
        return smallest_hashes(groups, hashes)
