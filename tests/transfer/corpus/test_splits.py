"""Train, validation and test share no text; gold is halved label by label."""

from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.labelled_files import LABELS, names, read
from transfer.corpus.labelled import Labelled, without
from transfer.corpus.splits import Original, split_gold, split_original
from transfer.errors import UserError


def many(folder: Path, n: int = 300, name: str = "text") -> Labelled:
    """n rows, of which half are joy, a third sadness and a sixth anger."""
    of = ["joy", "joy", "joy", "sadness", "sadness", "anger"]
    return read(folder, *[f"{name} number {i},{of[i % 6]}" for i in range(n)])


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
    halves = split_gold(first.keys, first.labels, 13, {})
    grown = split_gold(later.keys, later.labels, 13, halves)
    assert halves.items() <= grown.items()
    for rows, dealt in ((first, halves), (later, grown)):
        tuned = Counter(name for key, name in zip(rows.keys, names(rows), strict=True) if dealt[key] == "tune")
        assert tuned == {name: count // 2 for name, count in Counter(names(rows)).items()}
    assert split_gold(first.keys, first.labels, 14, {}) != halves


def test_halves_even_out_what_was_dealt_unevenly(tmp_path: Path) -> None:
    rows = many(tmp_path, 60)
    known = {key: "tune" for key, name in zip(rows.keys, names(rows), strict=True) if name == "anger"}
    grown = many(tmp_path, 120)
    halves = split_gold(grown.keys, grown.labels, 13, {**known, "gone": "report"})
    angry = Counter(halves[key] for key, name in zip(grown.keys, names(grown), strict=True) if name == "anger")
    assert angry == {"tune": 10, "report": 10}
    assert halves["gone"] == "report"
