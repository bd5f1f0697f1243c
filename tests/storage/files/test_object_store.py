"""Files behind a URL: downloaded once, whole, and never half replaced."""

from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from storage.errors import StoreError
from storage.files.file_store import FileStore
from tests.helpers.published_folders import contents, model


def test_a_name_replaced_while_it_is_fetched_comes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"memory://{uuid4().hex}"
    files = FileStore(address, tmp_path / "cache")
    files.publish(model(tmp_path / "old"), "a")
    new, get = model(tmp_path / "new", text="renewed"), MemoryFileSystem.get

    def is_overtaken(*arguments: object) -> None:
        monkeypatch.setattr(MemoryFileSystem, "get", get)
        get(*arguments)
        FileStore(address, tmp_path / "cache").publish(new, "a")

    monkeypatch.setattr(MemoryFileSystem, "get", is_overtaken)
    assert contents(files.fetch("a"))["model.safetensors"] == "renewed"


def test_a_url_is_downloaded_once_and_only_its_last_version_stays(tmp_path: Path) -> None:
    files = FileStore(f"memory://{uuid4().hex}", tmp_path / "cache")
    files.publish(model(tmp_path / "made"), "a/b")
    first = files.fetch("a/b")
    (first / "touched").touch()
    assert (files.fetch("a/b") / "touched").exists()
    files.publish(model(tmp_path / "more", "others"), "a/b")
    second = files.fetch("a/b")
    assert contents(second)["model.safetensors"] == "others"
    assert not first.exists()
    assert [path.name for path in (tmp_path / "cache").rglob("model.safetensors")] == ["model.safetensors"]


def test_a_download_that_was_cut_short_is_reported_and_not_kept(tmp_path: Path) -> None:
    files = FileStore(f"local://{tmp_path / 'files'}", tmp_path / "cache")
    files.publish(model(tmp_path / "made"), "a")
    (tmp_path / "files" / "a" / "model.safetensors").write_text("wei")
    with pytest.raises(StoreError, match="3 bytes arrived of 7"):
        files.fetch("a")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
