"""A part of the training rows with the labels' shares of all, so that a search may try many recipes cheaply."""

import hashlib
from collections import defaultdict

import numpy as np

from transfer.corpus.labelled import Labelled, select_rows

FEWEST_OF_A_LABEL = 4  # with fewer no recipe learns a rare label, and all recipes look alike


def stratified_subset(rows: Labelled, size: int, seed: int) -> Labelled:
    """`size` of the rows, each label with its share of them, and with at least four rows where it has so many.

    Larger where the labels' least is more than `size`; all rows where there are no more. A larger subset of the same
    rows contains the smaller one, and which are taken does not depend on the rows' order. Places are allotted by
    Webster's divisor method, which never takes one back (Balinski and Young, Fair Representation, 1982).
    """
    members = defaultdict[int, list[int]](list)
    for row, label in enumerate(rows.labels.tolist()):
        members[label].append(row)
    turns: list[tuple[float, int, int]] = []  # when a row is taken: the sooner, the larger its label
    least = 0
    for label, own in sorted(members.items()):
        own.sort(key=lambda row: (_rank(seed, rows.keys[row]), row))
        least += min(FEWEST_OF_A_LABEL, len(own))
        for i, row in enumerate(own):
            turns.append((-1.0 if i < FEWEST_OF_A_LABEL else (i + 0.5) / len(own), label, row))
    taken = [row for _, _, row in sorted(turns)[: max(size, least)]]
    mask = np.zeros(len(rows), dtype=bool)
    mask[taken] = True
    return select_rows(rows, mask, rows.dropped)


def _rank(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"subset:{seed}:{key}".encode(), digest_size=8).digest())
