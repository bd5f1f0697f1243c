"""Labels out of one store and into another: nothing lost, nothing asked again, and no faulty row gets in."""

from pathlib import Path

import pytest

from stages.label.label_import import import_labels
from storage.records.pseudo_labels import labellers, labels_of
from tests.helpers.labelling_project import make_labelling, opened, write
from transfer.errors import UserError
from transfer.text.cleaning import key_hash


def test_a_table_of_texts_and_labels_is_enough(tmp_path: Path) -> None:
    run = opened(make_labelling(tmp_path))
    write(tmp_path / "own.csv", text=["So  happy", "아 화나"], label=["joy", "anger"], labeller=["class of 2024"] * 2)
    assert import_labels(run, tmp_path / "own.csv").added == 2
    found = {row.key: row.label for row in labels_of(run.engine, "class of 2024")}
    assert found == {key_hash("So happy"): 1, key_hash("아 화나"): 0}


ROW = {"labeller": "x", "text": "a text", "label": "joy", "p_anger": "0.1", "p_joy": "0.8", "p_sadness": "0.1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "glee"}, "row 2: no label 'glee' in the plan; its labels: anger, joy, sadness"),
        ({"p_joy": "0.7"}, "row 2: its probabilities sum to 0.9"),
        ({"p_joy": "NaN"}, "row 2: p_joy is 'NaN': no number from 0 to 1"),
        ({"p_joy": ""}, "row 2: p_joy is None"),
        ({"p_joy": "-0.1"}, "p_joy is '-0.1'"),
        ({"label": "anger"}, "its label is 'anger', its likeliest one 'joy'"),
        ({"labeller": ""}, "row 2: no labeller"),
        ({"text": " "}, "neither a key nor a text"),
        ({"key": "zz"}, "key is 'zz': not 16 hexadecimal digits"),
        ({"tokens": "many"}, "tokens is 'many'"),
        ({"created_at": "yesterday"}, "created_at is 'yesterday'"),
    ],
)
def test_a_faulty_row_is_named_and_nothing_gets_in(tmp_path: Path, change: dict[str, str], words: str) -> None:
    run = opened(make_labelling(tmp_path))
    rows = [ROW | {"key": "", "tokens": "", "created_at": ""} | change, ROW | {"key": "0" * 16}]
    write(tmp_path / "own.csv", **{name: [row.get(name, "") for row in rows] for name in rows[0]})
    with pytest.raises(UserError) as caught:
        import_labels(run, tmp_path / "own.csv")
    assert words in " ".join(str(caught.value).split())
    assert "nothing was imported" in str(caught.value)
    assert labellers(run.engine) == []


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ({"labeller"}, "no column labeller"),
        ({"text"}, "no column key (or text)"),
        ({"p_joy"}, "no column p_joy"),
        ({"label", "p_anger", "p_joy", "p_sadness"}, "no column label"),
    ],
)
def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path, left_out: set[str], words: str) -> None:
    run = opened(make_labelling(tmp_path))
    write(tmp_path / "own.csv", **{name: [value] for name, value in ROW.items() if name not in left_out})
    with pytest.raises(UserError, match="its columns: ") as caught:
        import_labels(run, tmp_path / "own.csv")
    assert words in str(caught.value)


def test_labels_of_another_plan_are_refused(tmp_path: Path) -> None:
    run = opened(make_labelling(tmp_path))
    write(tmp_path / "own.csv", **{name: [value] for name, value in (ROW | {"p_fear": "0"}).items()})
    with pytest.raises(UserError, match="p_fear: no such label in the plan"):
        import_labels(run, tmp_path / "own.csv")


def test_a_korean_windows_file_says_which_encoding_to_give(tmp_path: Path) -> None:
    run = opened(make_labelling(tmp_path))
    (tmp_path / "own.csv").write_text("text,label,labeller\n아 화나,anger,우리\n", encoding="cp949")
    with pytest.raises(UserError, match="cp949"):
        import_labels(run, tmp_path / "own.csv")
    assert import_labels(run, tmp_path / "own.csv", "cp949").labellers == ["우리"]
