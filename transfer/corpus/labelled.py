"""Labelled texts of one split, and the operations that keep their counts and fingerprint true."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Texts and labels of one split, in the order of the files.

    texts: cleaned, none empty. labels: (N,) int64, index in the plan's labels. keys: cleaning.key_hash of the texts.
    dropped: reason -> rows. weights: (N,) float64, positive, those of dropped duplicates added to the row that was
    kept; or None. ids: "" where a row has none; or None.
    """

    texts: list[str]
    labels: Integers
    keys: list[str]
    dropped: dict[str, int]
    weights: Floats | None = None
    ids: list[str] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def conflicts(self) -> int:
        """Texts that stand here with several labels; all their rows are kept."""
        pairs = set(zip(self.keys, self.labels.tolist(), strict=True))
        return sum(n > 1 for n in Counter(key for key, _ in pairs).values())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex of texts, labels, weights and ids."""
        digest = hashlib.sha256(np.ascontiguousarray(self.labels, "<i8").tobytes())
        for column in (self.texts, self.ids or ()):
            digest.update(f"\n{len(column)}\n".encode())
            digest.update("\n".join(column).encode())  # a cleaned text is one line
        if self.weights is not None:
            digest.update(np.ascontiguousarray(self.weights, "<f8").tobytes())
        return digest.hexdigest()


def select_rows(rows: Labelled, mask: Booleans, dropped: dict[str, int]) -> Labelled:
    """The rows where `mask`, (N,) bool, is true. dropped: the counts of the result."""
    at = np.flatnonzero(mask)
    return Labelled(
        [rows.texts[i] for i in at],
        rows.labels[at],
        [rows.keys[i] for i in at],
        dropped,
        None if rows.weights is None else rows.weights[at],
        None if rows.ids is None else [rows.ids[i] for i in at],
    )


def without(rows: Labelled, keys: Collection[str], reason: str = "in another split") -> Labelled:
    """The rows whose key is not in `keys`, best a set; the others are counted in `dropped` under `reason`."""
    kept = np.array([key not in keys for key in rows.keys], bool)
    lost = int(len(rows) - kept.sum())
    if not lost:
        return rows
    return select_rows(rows, kept, {**rows.dropped, reason: rows.dropped.get(reason, 0) + lost})
