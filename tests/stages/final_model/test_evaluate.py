"""The errors of an evaluation: the most confident first, in the result and in a csv file."""

import csv
from pathlib import Path

import numpy as np
import pytest

from stages.final_model.evaluate import errors_of, write_errors
from transfer.corpus.labelled import Labelled

LABELS = ["anger", "joy"]


@pytest.fixture
def rows() -> Labelled:
    texts = ["so angry", "=SUM(A1)", "lovely"]
    return Labelled(texts, np.array([0, 0, 1]), ["a", "b", "c"], {})


def test_errors_come_with_the_most_confident_first(rows: Labelled) -> None:
    first, second = errors_of(rows, np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]]), LABELS)
    assert (first.text, first.label, first.predicted, first.confidence) == ("=SUM(A1)", "anger", "joy", 0.9)
    assert first.probabilities == {"anger": 0.1, "joy": 0.9}
    assert second.text == "so angry"


def test_a_text_that_begins_like_a_formula_is_none_in_a_spreadsheet(rows: Labelled, tmp_path: Path) -> None:
    errors = errors_of(rows, np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]]), LABELS)
    path = write_errors(tmp_path / "wrong.csv", errors, LABELS)
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == "'=SUM(A1)"
    assert (row["p_anger"], row["p_joy"]) == ("0.100000", "0.900000")
