"""What is written whole or not at all leaves nothing else behind."""

from pathlib import Path

import pytest

from transfer.atomic_write import atomic_file, atomic_files, atomic_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with atomic_file(path) as part:
        part.write_text("new")
        assert (part.suffix, path.exists()) == (".csv", False)
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.csv"])


def test_a_writer_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def write() -> None:
        with atomic_file(path) as part:
            part.write_text("half")
            raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        write()
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.csv"])


def test_a_folder_that_another_process_made_first_stays(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "model") as part:
        (part / "mine").touch()
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "theirs").touch()
    assert (names(tmp_path), names(tmp_path / "model")) == (["model"], ["theirs"])


def test_files_join_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "old").touch()
    with atomic_files(tmp_path / "onnx", "last") as part:
        (part / "last").touch()
        (part / "z").touch()
    assert (names(tmp_path), names(tmp_path / "onnx")) == (["onnx"], ["last", "old", "z"])
