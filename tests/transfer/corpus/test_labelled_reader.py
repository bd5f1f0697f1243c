"""Rows of labelled files become texts with labels; what is dropped is counted."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.labelled_files import LABELS, names, problem_of, read
from transfer.corpus.labelled_reader import read_labelled
from transfer.errors import UserErrors
from transfer.tables.sources import LabelledSource


def test_rows_without_text_or_label_are_dropped_and_counted(tmp_path: Path) -> None:
    rows = read(tmp_path, "good ,joy", ",joy", "  ,joy", "nan,joy", "\u200b,joy", "bad,", "worse,NaN", "x,anger")
    assert rows.texts == ["good", "x"]
    assert names(rows) == ["joy", "anger"]
    assert rows.dropped == {"empty text": 4, "no label": 2}


def test_a_duplicate_is_dropped_and_a_conflict_kept(tmp_path: Path) -> None:
    rows = read(tmp_path, "Good day,joy", "good  day ,joy", "good day,anger", "sad,sadness", "good day,joy")
    assert rows.texts == ["Good day", "good day", "sad"]
    assert rows.dropped == {"duplicate": 2}
    assert rows.conflicts == 1


def test_a_long_comment_is_kept_whole(tmp_path: Path) -> None:
    assert len(read(tmp_path, "ab" * 5000 + ",joy").texts[0]) == 10_000


def test_problems_of_several_sources_come_together(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("text,label\na,fear\n", encoding="utf-8")
    sources = [LabelledSource(path="none.csv"), LabelledSource(path="b.csv"), LabelledSource(path="b.csv", text="t")]
    with pytest.raises(UserErrors) as caught:
        read_labelled(sources, LABELS, tmp_path, "original.train")
    places = [problem.split(":")[0] for problem in caught.value.problems]
    assert places == ["original.train[0].path", "original.train[1].label", "original.train[2].text"]


def test_nothing_usable_is_a_problem(tmp_path: Path) -> None:
    assert "dropped: 2 empty text, 1 no label" in problem_of(tmp_path, ",joy", "nan,joy", "x,")


def test_gold_keeps_ids_and_weights(tmp_path: Path) -> None:
    header, settings = "text,label,w,no", dict[str, Any](weight="w", id="no")
    rows = read(tmp_path, "a,joy,2,k1", "b,joy,0.5,", "A,joy,3,k3", header=header, **settings)
    assert rows.ids == ["k1", ""]
    assert rows.weights is not None
    assert rows.weights.tolist() == [5.0, 0.5]  # the duplicate's weight is not lost
    for weight in ("-1", "0", "inf", "much", ""):
        message = problem_of(tmp_path, f"a,joy,{weight},k1", header=header, **settings)
        assert message.startswith("original.train.weight: ")
