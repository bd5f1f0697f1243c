"""Which label of the plan a value in a file means, and the message on values that mean none."""

from collections import Counter
from collections.abc import Mapping, Sequence

from transfer.errors import UserError
from transfer.tables.sources import LabelledSource, did_you_mean, label_text
from transfer.text.cleaning import MISSING

NO_LABEL = -1
UNKNOWN = -2


def label_numbers(source: LabelledSource, labels: Sequence[str], where: str) -> dict[str, int]:
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


def label_number(value: str | None, numbers: Mapping[str, int]) -> int:
    """Index of the label that a value means, NO_LABEL where there is none, UNKNOWN where it means no label."""
    text = label_text(value or "")
    if text in numbers:
        return numbers[text]
    return NO_LABEL if text in MISSING else UNKNOWN


def unknown_labels(unknown: Counter[str], source: LabelledSource, labels: Sequence[str], where: str) -> UserError:
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
