"""Columns are found by their names and become text."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.table_files import problem_of, read, write_delimited
from transfer.errors import UserErrors
from transfer.tables.sources import LabelledSource


def test_a_missing_column_is_named_with_its_key_and_a_near_miss(tmp_path: Path) -> None:
    write_delimited(tmp_path / "a.csv")
    with pytest.raises(UserErrors) as caught:
        read(LabelledSource(path="a.csv", text="texte", label="Label "), tmp_path, columns=("texte", "Label "))
    text, label = caught.value.problems
    assert text.startswith("original.train[0].text: no column 'texte' in a.csv\n  its columns: 텍스트, label, n")
    assert label.endswith("did you mean 'label'?")


def test_a_column_is_found_in_another_unicode_form_and_with_spaces(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(" \u1112\u1161\u11ab \nx\n", encoding="utf-8")
    assert read(LabelledSource(path="a.csv"), tmp_path, columns=("한",)) == [("x",)]


def test_mixed_values_and_halves_of_characters_become_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": 3.0}\n{"text": "3"}\n{"text": NaN}\n{}\n{"text": "\\ud83d!"}', encoding="utf-8"
    )
    assert read(LabelledSource(path="a.jsonl"), tmp_path, 9, ("text",)) == [("3",), ("3",), (None,), (None,), ("!",)]


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [["a", "b"]]}), tmp_path / "a.parquet")
    assert "holds list<" in problem_of(LabelledSource(path="a.parquet"), tmp_path)
