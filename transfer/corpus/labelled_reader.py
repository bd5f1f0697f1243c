"""Labelled texts from the plan's sources: cleaned, without duplicates, each with a label of the plan.

What is dropped is counted by its reason. All is held in memory: labelled data are thousands of rows, not millions.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from transfer.corpus.labelled import Labelled
from transfer.errors import UserError, raise_all
from transfer.tables.readers import read_batches
from transfer.tables.sources import GoldSource, LabelledSource, did_you_mean, label_text
from transfer.tables.table_columns import as_text
from transfer.text.cleaning import MISSING, clean_cell, key_hash

NO_LABEL = -1
UNKNOWN = -2


def read_labelled(sources: Sequence[LabelledSource], labels: Sequence[str], base: Path, where: str) -> Labelled:
    """All rows of some sources that have a text and a label of the plan, each text once per label.

    base: the plan's folder. where: the plan's key of the list, "original.train", or of the one gold source, "gold".
    Rows are dropped as "empty text", "no label", "unmapped label" and "duplicate" (of a text with the same label).
    Raises UserError, or UserErrors of several sources, for what cannot be read, values that are no labels of the plan,
    weights that are not positive numbers, and where no row is left.
    """
    rows, problems = _Rows(), list[UserError]()
    for i, source in enumerate(sources):
        try:
            _read(source, labels, base, where if isinstance(source, GoldSource) else f"{where}[{i}]", rows)
        except UserError as problem:
            problems.append(problem)
    raise_all(f"{where}: {len(problems)} problems", problems)
    if not rows.texts:
        counts = ", ".join(f"{count} {reason}" for reason, count in rows.dropped.items())
        what = f"{where}: no row is left that has a text and a label of the plan"
        raise UserError(what, f"dropped: {counts or 'none'}")
    gold = [source for source in sources if isinstance(source, GoldSource)]
    return Labelled(
        rows.texts,
        np.array(rows.labels, np.int64),
        rows.keys,
        dict(rows.dropped),
        np.array(rows.weights) if gold and all(source.weight for source in gold) else None,
        rows.ids if gold and all(source.id for source in gold) else None,
    )


class _Rows:
    """Rows collected so far, the same text with the same label once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.labels: list[int] = []
        self.keys: list[str] = []
        self.weights: list[float] = []
        self.ids: list[str] = []
        self.dropped = Counter[str]()
        self._at: dict[tuple[str, int], int] = {}

    def add(self, text: str, label: int, weight: float, identity: str) -> None:
        key = key_hash(text)
        at = self._at.setdefault((key, label), len(self.texts))
        if at < len(self.texts):
            self.dropped["duplicate"] += 1
            self.weights[at] += weight
            return
        self.texts.append(text)
        self.labels.append(label)
        self.keys.append(key)
        self.weights.append(weight)
        self.ids.append(identity)


def _read(source: LabelledSource, labels: Sequence[str], base: Path, where: str, rows: _Rows) -> None:
    numbers = _label_numbers(source, labels, where)
    columns = {"text": source.text, "label": source.label}
    if isinstance(source, GoldSource):
        columns |= {key: name for key, name in (("id", source.id), ("weight", source.weight)) if name}
    unknown = Counter[str]()
    for batch in read_batches(source, list(columns.values()), base, where):
        values = {
            key: as_text(batch.column(i), f"{where}.{key}: column {columns[key]!r}").to_pylist()
            for i, key in enumerate(columns)
        }
        unknown += _add(values, numbers, where, rows)
    if unknown and source.unmapped == "refuse":
        raise _unknown_labels(unknown, source, labels, where)
    if unknown:
        rows.dropped["unmapped label"] += unknown.total()


def _add(values: Mapping[str, list[str | None]], numbers: Mapping[str, int], where: str, rows: _Rows) -> Counter[str]:
    """Adds the usable rows of a batch; gives the label values that mean no label of the plan, with their rows."""
    unknown = Counter[str]()
    number_of = {value: _label_number(value, numbers) for value in set(values["label"])}
    absent = [None] * len(values["text"])
    columns = (values["text"], values["label"], values.get("weight", absent), values.get("id", absent))
    for text, value, weight, identity in zip(*columns, strict=True):
        cleaned = clean_cell(text)
        if not cleaned:
            rows.dropped["empty text"] += 1
        elif number_of[value] == NO_LABEL:
            rows.dropped["no label"] += 1
        elif number_of[value] == UNKNOWN:
            unknown[str(value).strip()] += 1
        else:
            number = _weight(weight, where) if "weight" in values else 1.0
            rows.add(cleaned, number_of[value], number, identity or "")
    return unknown


def _weight(text: str | None, where: str) -> float:
    try:
        weight = float(text or "")
    except ValueError:
        weight = math.nan
    if not (0 < weight < math.inf):
        raise UserError(
            f"{where}.weight: {text!r} is no weight of a row",
            "a weight is a positive number: 1 / the probability with which the comment came into the sample",
        )
    return weight


def _label_numbers(source: LabelledSource, labels: Sequence[str], where: str) -> dict[str, int]:
    """Value as sources.label_text gives it -> index in `labels`.

    Labels mean themselves, and the source's `map` has precedence; with `unmapped: drop` only the map counts, so that
    one of several sources can give one class. Raises UserError where the map leads to no label of the plan.
    """
    numbers = {label_text(label): i for i, label in enumerate(labels)}
    if source.map is None:
        return numbers
    problems = [target for target in source.map.values() if label_text(target) not in numbers]
    if problems:
        raise UserError(
            f"{where}.map: leads to {', '.join(map(repr, dict.fromkeys(problems)))}, no label of the plan",
            f"the plan's labels: {', '.join(labels)}",
            *did_you_mean(problems[0], labels),
        )
    mapped = {label_text(value): numbers[label_text(target)] for value, target in source.map.items()}
    return mapped if source.unmapped == "drop" else numbers | mapped


def _label_number(value: str | None, numbers: Mapping[str, int]) -> int:
    """Index of the label that a value means, NO_LABEL where there is none, UNKNOWN where it means no label."""
    text = label_text(value or "")
    if text in numbers:
        return numbers[text]
    return NO_LABEL if text in MISSING else UNKNOWN


def _unknown_labels(unknown: Counter[str], source: LabelledSource, labels: Sequence[str], where: str) -> UserError:
    """The message on values that mean no label. unknown: value -> rows."""
    common = [f"{value[:40]!r} ({count} rows)" for value, count in unknown.most_common(12)]
    more = [f"and {len(unknown) - 12} values more"] if len(unknown) > 12 else []
    named = source.path or source.hub
    misspelt = [(value, label) for value in unknown for label in labels if value.casefold() == label.casefold()]
    return UserError(
        f"{where}.label: column {source.label!r} of {named} has {len(unknown)} values that are no labels of the plan",
        ", ".join(common + more),
        f"the plan's labels: {', '.join(labels)}",
        *[f"{value!r} is {label!r} but for its case" for value, label in misspelt[:3]],
        "name them in `map` (map: {VALUE: LABEL}), or leave their rows out with `unmapped: drop`",
    )
