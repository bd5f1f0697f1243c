"""Files in a local folder: linked or copied, whole or not there, whoever else writes."""

import errno
import os
from pathlib import Path

import pytest

from storage.errors import StoreError
from storage.files.file_store import FileStore
from storage.process_identity import new_mark
from tests.helpers.published_folders import WEIGHTS, contents, model

DAY = 86_400.0


def test_what_is_linked_takes_no_room_twice_and_where_it_cannot_be_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, source = FileStore(tmp_path / "files", tmp_path / "cache"), model(tmp_path / "made")
    files.publish(source, "a", linked=True)
    assert (files.fetch("a") / "model.safetensors").samefile(source / "model.safetensors")
    monkeypatch.setattr(os, "link", _refuse)
    files.publish(source, "b", linked=True)
    assert not (files.fetch("b") / "model.safetensors").samefile(source / "model.safetensors")
    assert contents(files.fetch("a")) == contents(files.fetch("b")) == WEIGHTS


def _refuse(*_: object) -> None:
    raise OSError(errno.EXDEV, "another disk")


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FileStore(tmp_path / "files", tmp_path / "cache")
    files.publish(model(tmp_path / "old"), "a")

    def is_refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    later = model(tmp_path / "new", text="later")
    monkeypatch.setattr(os, "replace", is_refused)
    with pytest.raises(StoreError, match="cannot write 'a': Permission denied"):
        files.publish(later, "a")
    assert contents(files.fetch("a")) == WEIGHTS
    assert list((tmp_path / "files" / ".writing").iterdir()) == []


def test_what_living_and_far_writers_have_begun_is_left_alone(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "files", tmp_path / "cache")
    now = 1_700_000_000.0
    far = new_mark(now).split("~")
    far[0] = "another-host"
    for mark in (new_mark(now), "~".join(far), "not-ours"):
        (tmp_path / "files" / ".writing" / mark).mkdir(parents=True)
    assert files.sweep(now + DAY - 1) == 0
    assert files.sweep(now + DAY + 1) == 1
    assert len(list((tmp_path / "files" / ".writing").iterdir())) == 2
