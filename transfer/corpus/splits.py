"""Which text belongs to which split: train, validation and test of the original data, and the two halves of gold.

A hash of the seed and a text's key decides, so that neither the order of rows nor other rows matter. So it does for the
part of train that a search tries its recipes on.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transfer.corpus.labelled import Booleans, Integers, Labelled, select_rows, without
from transfer.errors import UserError, raise_all

FEWEST_OF_A_LABEL = 4  # of a subset: with fewer no recipe learns a rare label, and all recipes look alike


@dataclass(frozen=True, eq=False)
class Original:
    """The original data's splits, of which no two share a key. dropped: "split: reason" -> rows, of all splits."""

    train: Labelled
    validation: Labelled
    test: Labelled | None
    dropped: dict[str, int]


def split_original(
    train: Labelled, validation: float | Labelled, test: float | Labelled | None, labels: Sequence[str], seed: int
) -> Original:
    """The three splits, without a text in two of them: test wins over validation, validation over train.

    A share, between 0 and 1, of train's texts is split off label by label: at least one of each label that has three.
    Raises UserError, or UserErrors, where shares leave no train rows, train lacks a label of the plan, or a split is
    empty.
    """
    if isinstance(test, Labelled):
        train = without(train, set(test.keys), "also in test")
        if isinstance(validation, Labelled):
            validation = without(validation, set(test.keys), "also in test")
    if isinstance(validation, Labelled):
        train = without(train, set(validation.keys), "also in validation")
    in_test, in_validation = _split_off(train, _checked_shares(test, validation), seed)
    if not isinstance(validation, Labelled):
        validation = select_rows(train, in_validation, {})
    if test is not None and not isinstance(test, Labelled):
        test = select_rows(train, in_test, {})
    train = select_rows(train, ~(in_test | in_validation), train.dropped)
    parts = {"train": train, "validation": validation} | ({} if test is None else {"test": test})
    dropped = {f"{name}: {reason}": count for name, part in parts.items() for reason, count in part.dropped.items()}
    _check(parts, labels)
    return Original(train, validation, test, dropped)


def split_gold(keys: Sequence[str], labels: Integers, seed: int, known: Mapping[str, str]) -> dict[str, str]:
    """Each gold text's half, "tune" or "report": `known` as it was, then the new ones, so that each label is halved.

    keys: of the gold texts; one that occurs twice counts once, with its first label. labels: (N,) int64. known: all
    that was assigned before; it may name texts that are gone. Which of two texts goes where depends on the seed.
    """
    halves = dict(known)
    balance = Counter[int]()  # label -> texts in tune less texts in report
    by_label = _by_label(keys, labels)
    for label, members in by_label.items():
        balance[label] = sum(1 if known[key] == "tune" else -1 for key in members if key in known)
        for key in _shuffled((key for key in members if key not in known), seed):
            to_tune = balance[label] < 0 or (balance[label] == 0 and _hash(seed, key, "side") % 2 == 0)
            halves[key] = "tune" if to_tune else "report"
            balance[label] += 1 if to_tune else -1
    return halves


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
        own.sort(key=lambda row: (_hash(seed, rows.keys[row], "subset"), row))
        least += min(FEWEST_OF_A_LABEL, len(own))
        for i, row in enumerate(own):
            turns.append((-1.0 if i < FEWEST_OF_A_LABEL else (i + 0.5) / len(own), label, row))
    taken = [row for _, _, row in sorted(turns)[: max(size, least)]]
    mask = np.zeros(len(rows), dtype=bool)
    mask[taken] = True
    return select_rows(rows, mask, rows.dropped)


def _checked_shares(test: float | Labelled | None, validation: float | Labelled) -> list[float]:
    """Shares of train's texts for test and validation; 0 for one that has its own sources or is not wanted."""
    given = {"test": test, "validation": validation}
    shares = {name: share for name, share in given.items() if isinstance(share, float | int)}
    for name, share in shares.items():
        if not 0 < share < 1:
            raise UserError(f"original.{name}: a share lies between 0 and 1, got {share}", "0.1 is the usual one")
    if sum(shares.values()) >= 1:
        raise UserError(f"original: shares of {sum(shares.values()):g} in all leave nothing to train on")
    return [shares.get("test", 0.0), shares.get("validation", 0.0)]


def _split_off(rows: Labelled, shares: Sequence[float], seed: int) -> list[Booleans]:
    """For each share a mask of rows, (N,) bool, that overlaps no other: about that share of each label's texts."""
    part_of: dict[str, int] = {}
    for members in _by_label(rows.keys, rows.labels).values():
        order, start = _shuffled(members, seed), 0
        for part, share in enumerate(shares):
            least = 1 if share and len(order) >= 3 else 0
            stop = start + max(least, round(share * len(order)))
            part_of |= dict.fromkeys(order[start : min(stop, len(order) - 1)], part)
            start = stop
    parts = np.array([part_of.get(key, -1) for key in rows.keys])
    return [parts == part for part in range(len(shares))]


def _by_label(keys: Sequence[str], labels: Integers) -> dict[int, list[str]]:
    """Each key once, under the least of its labels, so that one with several labels is not assigned twice."""
    label_of: dict[str, int] = {}
    for key, label in zip(keys, labels.tolist(), strict=True):
        label_of[key] = min(label, label_of.get(key, label))
    members = defaultdict[int, list[str]](list)
    for key, label in label_of.items():
        members[label].append(key)
    return members


def _shuffled(keys: Iterable[str], seed: int) -> list[str]:
    return sorted(keys, key=lambda key: (_hash(seed, key, "order"), key))


def _hash(seed: int, key: str, use: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{use}:{seed}:{key}".encode(), digest_size=8).digest())


def _check(parts: Mapping[str, Labelled], labels: Sequence[str]) -> None:
    problems = [
        UserError(f"original.{name}: no row is left", _of(part.dropped))
        for name, part in parts.items()
        if name != "train" and not len(part)
    ]
    train = parts["train"]
    counts = dict(zip(labels, np.bincount(train.labels, minlength=len(labels)).tolist(), strict=True))
    if absent := [label for label, count in counts.items() if not count]:
        problems.append(_absent(absent, counts, train.dropped))
    raise_all("original: its splits cannot be used", problems)


def _absent(absent: Sequence[str], counts: Mapping[str, int], dropped: Mapping[str, int]) -> UserError:
    there = ", ".join(f"{label} {count}" for label, count in counts.items() if count)
    if len(counts) - len(absent) == 1:
        what = f"original.train: every row is of one class, {there.split()[0]!r}; a classifier needs two"
    else:
        what = f"original.train: no row with the label {', '.join(map(repr, absent))}"
    return UserError(
        what,
        f"rows by label: {there or 'none'}; {_of(dropped)}",
        "add rows of it, look at `map` and `unmapped`, or take it out of the plan's `labels`",
    )


def _of(dropped: Mapping[str, int]) -> str:
    return "dropped: " + (", ".join(f"{count} {reason}" for reason, count in dropped.items()) or "none")
