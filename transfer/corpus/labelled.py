"""Labelled texts of one split, and the operations that keep their counts and fingerprint true."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Texts and labels of one split, in the order of the files.

    texts: cleaned, none empty. labels: (N,) int64, index in the plan's labels. keys: cleaning.key_hash of the texts.
    dropped: reason -> rows. conflicts: texts that stand here with several labels; all their rows are kept.
    weights: (N,) float64, positive, those of dropped duplicates added to the row that was kept; or None.
    ids: "" where a row has none; or None. fingerprint: SHA-256 in hex of texts, labels, weights and ids.
    """

    texts: list[str]
    labels: Integers
    keys: list[str]
    dropped: dict[str, int]
    conflicts: int
    weights: Floats | None
    ids: list[str] | None
    fingerprint: str

    def __len__(self) -> int:
        return len(self.texts)


def labelled(
    texts: Sequence[str],
    labels: Integers,
    keys: Sequence[str],
    dropped: Mapping[str, int],
    weights: Floats | None = None,
    ids: Sequence[str] | None = None,
) -> Labelled:
    """Labelled with its conflicts and fingerprint worked out; see there for each argument."""
    return Labelled(
        texts=list(texts),
        labels=labels,
        keys=list(keys),
        dropped=dict(dropped),
        conflicts=_conflicts(keys, labels),
        weights=weights,
        ids=None if ids is None else list(ids),
        fingerprint=_fingerprint(texts, labels, weights, ids),
    )


def select_rows(rows: Labelled, mask: Booleans, dropped: Mapping[str, int]) -> Labelled:
    """The rows where `mask`, (N,) bool, is true. dropped: the counts of the result."""
    at = np.flatnonzero(mask)
    return labelled(
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


def _conflicts(keys: Sequence[str], labels: Integers) -> int:
    labels_of = defaultdict[str, set[int]](set)
    for key, label in zip(keys, labels.tolist(), strict=True):
        labels_of[key].add(label)
    return sum(len(several) > 1 for several in labels_of.values())


def _fingerprint(texts: Sequence[str], labels: Integers, weights: Floats | None, ids: Sequence[str] | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(labels, "<i8").tobytes())
    for column in (texts, ids or ()):
        digest.update(f"\n{len(column)}\n".encode())
        digest.update("\n".join(column).encode())  # a cleaned text is one line
    if weights is not None:
        digest.update(np.ascontiguousarray(weights, "<f8").tobytes())
    return digest.hexdigest()
