"""What `check` counts: rows by label, lengths, and texts that stand in two splits."""

from pathlib import Path

from stages.check.data_summary import label_counts, length_quantiles, named, overlaps, read_all_comments
from stages.plan.schema import Plan, read_plan
from tests.helpers.labelled_files import LABELS, read
from tests.helpers.labelling_project import write
from tests.helpers.short_plan import SHORT


def test_labels_without_rows_are_counted_too(tmp_path: Path) -> None:
    rows = read(tmp_path, "a,joy", "b,joy", "c,anger")
    assert label_counts(rows, LABELS) == {"anger": 1, "sadness": 0, "joy": 2}


def test_lengths_are_those_of_quantiles_and_none_of_nothing() -> None:
    assert length_quantiles(list(range(101))) == {"median": 50, "95 %": 95, "longest": 100}
    assert length_quantiles([]) == {}


def test_texts_in_two_splits_are_counted_by_pair(tmp_path: Path) -> None:
    train, gold = read(tmp_path, "a,joy", "b,joy", "c,anger"), read(tmp_path, "A ,joy", "d,joy")
    assert overlaps({"train": train, "gold": gold, "test": read(tmp_path, "e,joy")}) == {"train and gold": 1}
    assert overlaps({"train": train, "test": read(tmp_path, "e,joy")}) == {}


def test_reasons_are_named_with_their_split_and_zeros_left_out() -> None:
    assert named("train", {"empty text": 3, "no label": 0}) == {"train: empty text": 3}


def _plan(folder: Path) -> Plan:
    (folder / "plan.yaml").write_text(SHORT, encoding="utf-8")
    return read_plan(folder / "plan.yaml")


def test_comments_are_counted_in_one_pass(tmp_path: Path) -> None:
    write(tmp_path / "comments.csv", text=["so happy", "So  happy", "", "longer than that"])
    plan = _plan(tmp_path)
    found = read_all_comments(plan, plan.comments, "comments")
    assert (found.rows, found.texts, found.dropped) == (3, 2, {"comments: empty text": 1})
    assert found.lengths["longest"] == 16
