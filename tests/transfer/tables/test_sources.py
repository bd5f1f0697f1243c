"""Sources of the plan: files, globs, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.helpers.table_files import problem_of, read, write_xlsx
from transfer.tables.sources import CommentSource, GoldSource, LabelledSource, file_label, source_files


def test_a_glob_reads_its_files_in_order_and_forgives_one_without_rows(tmp_path: Path) -> None:
    for name, text in (("b/1.csv", "text\ntwo\n"), ("a/9.csv", "text\none\n"), ("c/1.csv", "text\n")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a/~$9.csv").write_bytes(b"\0")  # what an open spreadsheet leaves
    source = LabelledSource(path="*/*.csv")
    assert read(source, tmp_path, columns=("text",)) == [("one",), ("two",)]
    assert [file_label(source, file, tmp_path) for file in source_files(source, tmp_path)] == ["a/9", "b/1", "c/1"]


def test_environment_variables_stand_for_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x[1].csv").write_text("text\nhi\n", encoding="utf-8")
    monkeypatch.setenv("DATA", str(tmp_path))
    monkeypatch.delenv("NOWHERE", raising=False)
    assert read(LabelledSource(path="$DATA/x[1].csv"), Path("/"), columns=("text",)) == [("hi",)]
    assert "$NOWHERE of '$NOWHERE/x.csv' is not set" in problem_of(LabelledSource(path="$NOWHERE/x.csv"), tmp_path)


def test_a_missing_file_or_sheet_names_those_that_are_there(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "dialogue.xlsx")
    assert "did you mean 'dialogue.xlsx'?" in problem_of(LabelledSource(path="dialog.xlsx"), tmp_path)
    assert "no file matches '*.csv'" in problem_of(LabelledSource(path="*.csv"), tmp_path)
    assert "is a folder" in problem_of(LabelledSource(path="."), tmp_path)
    assert "its sheets: Sheet, other" in problem_of(LabelledSource(path="dialogue.xlsx", sheet="othr"), tmp_path)
    assert read(LabelledSource(path="dialogue.xlsx", sheet="Sheet"), tmp_path)[0][1] == "joy"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either `path`"),
        ({"path": "a.csv", "hub": "me/mood", "split": "train"}, "give either `path`"),
        ({"hub": "me/mood"}, "needs a `split`"),
        ({"hub": "https://x/y/z", "split": "train"}, "is no name of a hub data set"),
        ({"path": "a.csv", "split": "train"}, "`split` mean"),
        ({"path": "a.csv", "encoding": "cp994"}, "no encoding 'cp994'"),
        ({"path": "a.csv", "lable": "x"}, "lable"),
    ],
)
def test_a_source_that_means_nothing_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LabelledSource.model_validate(settings)


def test_numbers_in_a_map_are_read_as_text() -> None:
    source = GoldSource.model_validate({"path": "a.csv", "map": {0: "anger", 1.0: "joy", " 2 ": "joy"}})
    assert source.map == {"0": "anger", "1": "joy", "2": "joy"}
    assert CommentSource(path="a.csv").time is None


def test_the_plan_can_import_sources_without_anything_heavy() -> None:
    heavy = "{'pyarrow', 'numpy', 'pandas', 'datasets', 'openpyxl', 'torch'}"
    code = f"import sys, transfer.tables.sources; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "set()"
