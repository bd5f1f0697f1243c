"""A project with comments, gold and a labeller whose answers a test knows: no model is needed."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run
from transfer.labellers.labeller import Answer

LABELS = ("anger", "joy", "sadness")
PLAN = """
name: small
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}], validation: 0.2, test: 0.2}
comments: [{path: comments.csv, id: id, time: time, source: video}]
gold: {path: gold.csv, id: id, weight: weight}
candidates: [models/none]
pseudo_label: {labeller: {model: stub}, sample: 100}
"""


@dataclass
class StubLabeller:
    """Answers by a rule. asked: the texts that it was shown, in order."""

    rule: Callable[[str], tuple[float, ...] | int | None]
    asked: list[str] = field(default_factory=list)
    identity: str = "stub"
    description: Mapping[str, object] = field(default_factory=lambda: {"kind": "server", "labels": list(LABELS)})

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        for i, text in enumerate(texts):
            self.asked.append(text)
            found = self.rule(text)
            if found is None or isinstance(found, int):
                yield i, Answer(None, found, "its words", 10)
            else:
                yield i, Answer(found, int(np.argmax(found)), None, 10)


Labels = Callable[[Callable[[str], tuple[float, ...] | int | None]], StubLabeller]


def truth_of(text: str) -> int:
    """The label that people give: its number ends the text's first word."""
    return int(text.split(maxsplit=1)[0][-1])


def boasting(text: str) -> tuple[float, ...]:
    """Right in seven of ten cases, sure in all; never the same text twice with another answer."""
    number, truth = int(text.split()[1]), truth_of(text)
    said = truth if number * 7 % 10 < 7 else (truth + 1) % 3
    return tuple(0.98 if k == said else 0.01 for k in range(3))


def make_labelling(folder: Path, gold: int = 200, comments: int = 400) -> Path:
    """Writes data and plan; returns the plan's file. The first `gold` comments are gold, one in two of weight 3."""
    # a word of its own in each, for texts that differ in a number alone are a flood
    own = ["a".join("bcfghjklmn"[int(digit)] for digit in f"{i:03d}") for i in range(comments)]
    texts = [f"mood{i % 3} {i} {own[i]} some words" for i in range(comments)]
    days = [f"2024-03-{1 + i % 20:02d}T12:00:00Z" for i in range(comments)]
    write(
        folder / "comments.csv", id=range(comments), text=texts, time=days, video=[f"v{i % 4}" for i in range(comments)]
    )
    write(
        folder / "gold.csv",
        id=range(gold),
        text=texts[:gold],
        label=[LABELS[truth_of(text)] for text in texts[:gold]],
        weight=[3 if i % 2 else 1 for i in range(gold)],
    )
    write(folder / "original.csv", text=[f"other {i}" for i in range(60)], label=[LABELS[i % 3] for i in range(60)])
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder / "plan.yaml"


def write(path: Path, **columns: Any) -> None:
    """A csv file of these columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def opened(plan: Path, *overrides: str) -> Run:
    """The plan's run."""
    return open_run(read_plan(plan, overrides))
