"""How many distinct clusters groups of comments have, counted in bounded memory from the smallest hashes."""

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Groups = NDArray[np.int64]

# Distinct clusters are exact below this many in a period; above, the standard error is 1 / √(1024 − 2) = 3 %.
SKETCH = 1024
PENDING = 500_000  # pairs of group and cluster before they are folded into sketches


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


class DistinctCountSketch:
    """Distinct clusters of groups, by their smallest hashes (bottom-k sketch)."""

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
        """Distinct clusters of groups of groups: holder (G,) gives that of each group. Returns (max holder + 1,).
        A negative holder leaves its group out."""
        groups, hashes = self._folded()
        held = holder[groups]
        return distinct_clusters(held[held >= 0], hashes[held >= 0], int(holder.max()) + 1)

    def _folded(self) -> tuple[Groups, Hashes]:
        groups, hashes = (np.concatenate(parts) for parts in zip(*self._pairs, strict=True))
        return smallest_hashes(groups, hashes)
