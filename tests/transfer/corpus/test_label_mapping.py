"""Which label of the plan a value of a file means."""

from pathlib import Path

import numpy as np

from tests.helpers.labelled_files import names, problem_of, read


def test_unknown_labels_are_listed_with_their_rows(tmp_path: Path) -> None:
    message = problem_of(tmp_path, "a,joy", "b,fear", "c,fear", "d,Joy", "e, anger ")
    assert "original.train[0].label: column 'label' of a.csv has 2 values that are no labels of the plan" in message
    assert "'fear' (2 rows), 'Joy' (1 rows)" in message
    assert "the plan's labels: anger, sadness, joy" in message
    assert "'Joy' is 'joy' but for its case" in message
    assert "`map`" in message
    assert "`unmapped: drop`" in message


def test_a_map_leads_values_to_labels_and_labels_stand_for_themselves(tmp_path: Path) -> None:
    assert names(read(tmp_path, "a,기쁨", "b,joy", "c, 분노 ", map={"기쁨": "joy", "분노": "anger"})) == [
        "joy",
        "joy",
        "anger",
    ]


def test_dropping_the_unmapped_keeps_to_the_map_where_there_is_one(tmp_path: Path) -> None:
    """So the speech corpus can give neutral alone, although it has the plan's other labels too."""
    rows = read(tmp_path, "a,joy", "b,anger", "c,fear", map={"joy": "joy"}, unmapped="drop")
    assert (names(rows), rows.dropped) == (["joy"], {"unmapped label": 2})
    rows = read(tmp_path, "a,joy", "b,anger", "c,fear", unmapped="drop")
    assert (names(rows), rows.dropped) == (["joy", "anger"], {"unmapped label": 1})


def test_whole_numbers_are_labels_however_they_are_written(tmp_path: Path) -> None:
    rows = read(tmp_path, "a,3", "b,3.0", "c,0", labels=["0", "3"])
    assert rows.labels.tolist() == [1, 1, 0]
    assert rows.labels.dtype == np.int64
    assert names(read(tmp_path, "a,0.0", "b,1", map={0: "joy", 1: "anger"})) == ["joy", "anger"]


def test_a_map_to_no_label_is_refused(tmp_path: Path) -> None:
    message = problem_of(tmp_path, "a,x", map={"x": "angr"})
    assert "original.train[0].map: leads to 'angr', no label of the plan" in message
    assert "did you mean 'anger'?" in message
