"""Small files of labelled rows, and reading them."""

from pathlib import Path
from typing import Any

import pytest

from transfer.corpus.labelled import Labelled
from transfer.corpus.labelled_reader import read_labelled
from transfer.errors import UserError
from transfer.tables.sources import GoldSource, LabelledSource

LABELS = ["anger", "sadness", "joy"]


def read(folder: Path, *rows: str, header: str = "text,label", labels: list[str] = LABELS, **settings: Any) -> Labelled:
    (folder / "a.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    kind = GoldSource if {"id", "weight"} & settings.keys() else LabelledSource
    return read_labelled([kind(path="a.csv", **settings)], labels, folder, "original.train")


def names(rows: Labelled) -> list[str]:
    return [LABELS[i] for i in rows.labels]


def problem_of(folder: Path, *rows: str, **settings: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, *rows, **settings)
    return str(caught.value)
