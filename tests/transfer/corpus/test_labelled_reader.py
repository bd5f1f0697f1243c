"""Labels are matched, duplicates counted, and no text stands in two splits."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transfer.corpus.labelled import Labelled, without
from transfer.corpus.labelled_reader import read_labelled
from transfer.corpus.splits import Original, deal_halves, split_original
from transfer.errors import UserError, UserErrors
from transfer.tables.sources import GoldSource, LabelledSource

LABELS = ["anger", "sadness", "joy"]


def read(folder: Path, *rows: str, header: str = "text,label", labels: list[str] = LABELS, **settings: Any) -> Labelled:
    (folder / "a.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    kind = GoldSource if {"id", "weight"} & settings.keys() else LabelledSource
    return read_labelled([kind(path="a.csv", **settings)], labels, folder, "original.train")


def many(folder: Path, n: int = 300, name: str = "text") -> Labelled:
    """n rows, of which half are joy, a third sadness and a sixth anger."""
    of = ["joy", "joy", "joy", "sadness", "sadness", "anger"]
    return read(folder, *[f"{name} number {i},{of[i % 6]}" for i in range(n)])


def names(rows: Labelled) -> list[str]:
    return [LABELS[i] for i in rows.labels]


def problem_of(folder: Path, *rows: str, **settings: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, *rows, **settings)
    return str(caught.value)


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


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    first = read(tmp_path, "a,joy", "b,anger")
    assert first.fingerprint == read(tmp_path, "a ,joy", "b,anger", ",joy").fingerprint
    assert first.fingerprint != read(tmp_path, "a,joy", "b,joy").fingerprint
    assert first.fingerprint != read(tmp_path, "a,joy", "bb,anger").fingerprint
    assert first.fingerprint != without(first, {first.keys[0]}).fingerprint


def test_shares_are_stratified_seeded_and_blind_to_the_order_of_rows(tmp_path: Path) -> None:
    rows = many(tmp_path)
    original = split_original(rows, 0.2, 0.1, LABELS, seed=13)
    assert original.test is not None
    assert Counter(names(original.test)) == {"joy": 15, "sadness": 10, "anger": 5}
    assert Counter(names(original.validation)) == {"joy": 30, "sadness": 20, "anger": 10}
    again = split_original(rows, 0.2, 0.1, LABELS, seed=13)
    assert again.validation.fingerprint == original.validation.fingerprint
    assert split_original(rows, 0.2, 0.1, LABELS, seed=14).validation.keys != original.validation.keys
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    turned = split_original(read(tmp_path, *reversed(lines[1:])), 0.2, 0.1, LABELS, seed=13)
    assert set(turned.validation.keys) == set(original.validation.keys)


def test_a_rare_label_is_in_every_split(tmp_path: Path) -> None:
    rows = [f"t{i},joy" for i in range(100)] + [f"s{i},sadness" for i in range(3)] + ["a,anger", "b,anger"]
    original = split_original(read(tmp_path, *rows), 0.1, 0.1, LABELS, seed=1)
    assert original.test is not None
    assert [names(part).count("sadness") for part in (original.train, original.validation, original.test)] == [1, 1, 1]
    assert names(original.train).count("anger") == 2


def test_a_text_with_two_labels_is_in_one_split(tmp_path: Path) -> None:
    rows = [f"t{i},{label}" for i in range(200) for label in ("joy", "anger")] + ["x,sadness"]
    assert_disjoint(split_original(read(tmp_path, *rows), 0.3, 0.3, LABELS, seed=1))


def assert_disjoint(original: Original) -> None:
    parts = [set(part.keys) for part in (original.train, original.validation, original.test) if part is not None]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_test_wins_over_validation_and_validation_over_train(tmp_path: Path) -> None:
    train = read(tmp_path, "a,joy", "b,anger", "c,sadness", "d,joy", "e,anger", "f,joy")
    validation = read(tmp_path, "A,joy", "b,anger", "v,joy")
    test = read(tmp_path, "B!,anger", "B,anger", "d,joy")
    original = split_original(train, validation, test, LABELS, seed=1)
    assert original.train.texts == ["c", "e", "f"]
    assert original.validation.texts == ["A", "v"]
    assert original.test is test
    assert original.dropped == {"train: also in test": 2, "train: also in validation": 1, "validation: also in test": 1}


def test_no_text_is_in_two_splits_however_they_are_given(tmp_path: Path) -> None:
    rows, other = many(tmp_path), many(tmp_path, 330)
    for validation, test in (
        (0.1, 0.1),
        (0.1, None),
        (0.1, without(other, rows.keys[9:])),
        (without(other, rows.keys[9:]), 0.1),
    ):
        original = split_original(rows, validation, test, LABELS, seed=3)
        assert_disjoint(original)
        assert (original.test is None) == (test is None)


def test_a_label_without_rows_is_named(tmp_path: Path) -> None:
    rows = read(tmp_path, *[f"a{i},joy" for i in range(20)], *[f"b{i},anger" for i in range(20)])
    with pytest.raises(
        UserError, match=r"original\.train: no row with the label 'sadness'\n  rows by label: anger 18, joy 18"
    ):
        split_original(rows, 0.1, None, LABELS, seed=1)


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    rows = read(tmp_path, *[f"a{i},joy" for i in range(20)])
    with pytest.raises(UserError, match="every row is of one class, 'joy'; a classifier needs two"):
        split_original(rows, 0.1, None, LABELS, seed=1)


def test_impossible_shares_are_refused(tmp_path: Path) -> None:
    rows = many(tmp_path, 30)
    with pytest.raises(UserError, match=r"original\.validation: a share lies between 0 and 1, got 1\.5"):
        split_original(rows, 1.5, None, LABELS, seed=1)
    with pytest.raises(UserError, match="leave nothing to train on"):
        split_original(rows, 0.5, 0.5, LABELS, seed=1)
    with pytest.raises(UserError, match=r"original\.validation: no row is left"):
        split_original(rows, without(rows, set(rows.keys[1:])), without(rows, set(rows.keys[5:])), LABELS, seed=1)


def test_gold_is_halved_by_label_and_stays_as_dealt(tmp_path: Path) -> None:
    first, later = many(tmp_path, 60), many(tmp_path, 120)
    halves = deal_halves(first.keys, first.labels, 13, {})
    grown = deal_halves(later.keys, later.labels, 13, halves)
    assert halves.items() <= grown.items()
    for rows, dealt in ((first, halves), (later, grown)):
        tuned = Counter(name for key, name in zip(rows.keys, names(rows), strict=True) if dealt[key] == "tune")
        assert tuned == {name: count // 2 for name, count in Counter(names(rows)).items()}
    assert deal_halves(first.keys, first.labels, 14, {}) != halves


def test_halves_even_out_what_was_dealt_unevenly(tmp_path: Path) -> None:
    rows = many(tmp_path, 60)
    known = {key: "tune" for key, name in zip(rows.keys, names(rows), strict=True) if name == "anger"}
    grown = many(tmp_path, 120)
    halves = deal_halves(grown.keys, grown.labels, 13, {**known, "gone": "report"})
    angry = Counter(halves[key] for key, name in zip(grown.keys, names(grown), strict=True) if name == "anger")
    assert angry == {"tune": 10, "report": 10}
    assert halves["gone"] == "report"
