"""Files under names: whole or not there, in a local folder and behind an fsspec URL."""

import os
import resource
import shutil
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from storage.errors import StoreError
from storage.files.file_store import FileStore
from storage.files.object_store import ObjectStore
from tests.helpers.published_folders import WEIGHTS, contents, model


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_comes_back_as_it_was_published(files: FileStore, tmp_path: Path, linked: bool) -> None:
    assert not files.exists("search/bert/3")
    assert files.publish(model(tmp_path / "made"), "search/bert/3", linked=linked) == 14
    assert files.exists("search/bert/3")
    shutil.rmtree(tmp_path / "made")
    assert contents(files.fetch("search/bert/3")) == WEIGHTS
    assert files.fetch("search/bert/3") == files.fetch("search/bert/3")


def test_a_single_file_keeps_its_name(files: FileStore, tmp_path: Path) -> None:
    (tmp_path / "made").write_text("shard")
    assert files.publish(tmp_path / "made", "shards/0001.parquet") == 5
    found = files.fetch("shards/0001.parquet")
    assert (found.name, found.read_text()) == ("0001.parquet", "shard")
    assert files.names() == ["shards/0001.parquet"]


def test_names_are_what_was_published_and_nothing_inside_it(files: FileStore, tmp_path: Path) -> None:
    source = model(tmp_path / "made")
    for name in ("search/bert/3", "search/bert/10", "further/1"):
        files.publish(source, name)
    files.publish(source / "model.safetensors", "shards/x")
    assert files.names() == ["further/1", "search/bert/10", "search/bert/3", "shards/x"]
    assert files.names("search/") == ["search/bert/10", "search/bert/3"]
    assert not files.exists("search/bert")


def test_publishing_again_replaces_all_of_it(files: FileStore, tmp_path: Path) -> None:
    files.publish(model(tmp_path / "made"), "a")
    files.fetch("a")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "adapter.bin").write_text("later")
    files.publish(tmp_path / "new", "a")
    assert contents(files.fetch("a")) == {"adapter.bin": "later"}
    files.publish(tmp_path / "new" / "adapter.bin", "a")
    assert files.fetch("a").read_text() == "later"
    files.publish(tmp_path / "new", "a")
    assert contents(files.fetch("a")) == {"adapter.bin": "later"}
    assert files.names() == ["a"]


def test_a_removed_name_is_gone_with_its_bytes(files: FileStore, tmp_path: Path) -> None:
    source = model(tmp_path / "made")
    files.publish(source, "a/b")
    files.publish(source / "model.safetensors", "a/c")
    assert files.size() >= 21
    files.remove("a/b")
    files.remove("a/b")
    assert files.names() == ["a/c"]
    files.remove("a/c")
    assert files.size() == 0
    with pytest.raises(StoreError, match="no 'a/b'"):
        files.fetch("a/b")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_name_that_two_workers_remove_at_once_is_gone_and_neither_fails(
    files: FileStore, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    source = model(tmp_path / "made")
    files.publish(source if what == "folder" else source / "model.safetensors", "a")
    overtaken: list[str] = []

    def late(act: Callable[..., None]) -> Callable[..., None]:
        def acts(*args: object) -> None:
            monkeypatch.undo()
            FileStore(address, tmp_path / "cache").remove("a")
            overtaken.append("a")
            act(*args)

        return acts

    monkeypatch.setattr(os, "rename", late(os.rename))
    monkeypatch.setattr(ObjectStore, "_delete", late(ObjectStore._delete))
    files.remove("a")
    assert overtaken == ["a"]
    assert files.size() == 0


def test_a_name_is_never_inside_another_or_around_it(files: FileStore, tmp_path: Path) -> None:
    source = model(tmp_path / "made")
    files.publish(source, "a/b")
    with pytest.raises(StoreError, match="'a/b/c' would lie inside 'a/b'"):
        files.publish(source, "a/b/c")
    with pytest.raises(StoreError, match="'a' would take the place of other names"):
        files.publish(source, "a")
    assert contents(files.fetch("a/b")) == WEIGHTS


@pytest.mark.parametrize("name", ["", "../a", "/a", "a//b", "a/.hidden", "a\\b", "a*", "a/", "x" * 256])
def test_names_that_would_leave_the_place_are_refused(files: FileStore, name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no name for files"):
        files.publish(tmp_path, name)


def test_a_fetched_folder_can_be_published_again(files: FileStore, tmp_path: Path) -> None:
    files.publish(model(tmp_path / "made"), "a")
    assert files.publish(files.fetch("a"), "b") == 14
    assert contents(files.fetch("b")) == WEIGHTS


def test_links_are_published_as_what_they_lead_to(files: FileStore, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "blob").write_text("weights")
    (tmp_path / "made" / "model.safetensors").symlink_to(tmp_path / "blob")
    files.publish(tmp_path / "made", "a")
    (tmp_path / "blob").unlink()
    assert contents(files.fetch("a")) == {"model.safetensors": "weights"}


def die_at(call: int, function: Callable[..., object]) -> Callable[..., object]:
    """The function, which kills this process when it is called for that time."""
    calls = 0

    def dies(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    return dies


# the steps of publishing a folder of two files in the place of another: the call that is about to be made
LOCAL_STEPS = [
    ("shutil", "copyfile", 1),
    ("shutil", "copyfile", 2),
    ("os", "fsync", 3),
    ("os", "rename", 1),
    ("os", "replace", 1),
    ("shutil", "rmtree", 1),
]
URL_STEPS = [
    ("fsspec", "pipe_file", 1),
    ("fsspec", "put_file", 1),
    ("fsspec", "put_file", 2),
    ("fsspec", "pipe_file", 2),
    ("fsspec", "rm", 1),
    ("fsspec", "rm", 2),
    ("fsspec", "rm", 3),
]


def publish_and_die(address: str, cache: Path, source: Path, step: tuple[str, str, int]) -> None:
    files = FileStore(address, cache)
    where, name, call = step
    owner = {"shutil": shutil, "os": os, "fsspec": LocalFileSystem}[where]
    setattr(owner, name, die_at(call, getattr(owner, name)))
    files.publish(source, "models/a")


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("step", LOCAL_STEPS + URL_STEPS)
def test_a_kill_while_publishing_leaves_nothing_half(
    step: tuple[str, str, int], replaces: bool, tmp_path: Path, processes: ForkServerContext
) -> None:
    address = f"{'local://' if step in URL_STEPS else ''}{tmp_path / 'files'}"
    files, source = FileStore(address, tmp_path / "cache"), model(tmp_path / "made")
    old = {"old.bin": "old"} if replaces else None
    if replaces:
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "old.bin").write_text("old")
        files.publish(tmp_path / "old", "models/a")

    process = processes.Process(target=publish_and_die, args=(address, tmp_path / "cache", source, step))
    process.start()
    process.join(240)
    assert process.exitcode == -signal.SIGKILL or (not replaces and process.exitcode == 0)

    def found() -> dict[str, str] | None:
        return contents(files.fetch("models/a")) if files.exists("models/a") else None

    assert found() in (old, None, WEIGHTS)
    assert files.names() == ([] if found() is None else ["models/a"])
    files.sweep()
    assert found() in ((old, WEIGHTS) if step in LOCAL_STEPS else (old, None, WEIGHTS))
    left = [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert sorted(left) == sorted(Path(name).name for name in [".moodline.json", *(found() or ())] if found())
    files.publish(source, "models/a")
    assert found() == WEIGHTS


def publish_on_a_full_disk(address: str, cache: Path, source: Path, words: Path) -> None:
    files = FileStore(address, cache)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        files.publish(source, "a")
    except StoreError as problem:
        words.write_text(str(problem))


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_a_full_disk_is_reported_and_leaves_the_old(scheme: str, tmp_path: Path, processes: ForkServerContext) -> None:
    address = f"{scheme}{tmp_path / 'files'}"
    files = FileStore(address, tmp_path / "cache")
    files.publish(model(tmp_path / "old"), "a")
    source = model(tmp_path / "made", text="x" * 200_000)
    words = tmp_path / "words"
    process = processes.Process(target=publish_on_a_full_disk, args=(address, tmp_path / "cache", source, words))
    process.start()
    process.join(240)
    assert "cannot write 'a': File too large" in words.read_text()
    assert "nothing incomplete is kept" in words.read_text()
    if not scheme:
        assert contents(files.fetch("a")) == WEIGHTS
    assert files.names() == ([] if scheme else ["a"])
    assert files.sweep() == 0
    assert files.size() < 1_000


def publish_many(address: str, cache: Path, source: Path, own: int) -> None:
    files = FileStore(address, cache)
    for n in range(10):
        files.publish(source, f"models/{own}-{n}")
        files.sweep()
        if n % 2:
            files.remove(f"models/{own}-{n}")


@pytest.mark.parametrize("scheme", ["", "local://"])
def test_processes_publish_remove_and_sweep_side_by_side(
    scheme: str, tmp_path: Path, processes: ForkServerContext
) -> None:
    address, source = f"{scheme}{tmp_path / 'files'}", model(tmp_path / "made")
    running = [
        processes.Process(target=publish_many, args=(address, tmp_path / "cache", source, own)) for own in range(4)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert [process.exitcode for process in running] == [0] * 4
    files = FileStore(address, tmp_path / "cache")
    assert files.names() == sorted(f"models/{own}-{n}" for own in range(4) for n in range(0, 10, 2))
    assert all(contents(files.fetch(name)) == WEIGHTS for name in files.names())


@pytest.mark.parametrize(
    ("address", "words"),
    [("nosuch://KEY:secret@bucket/x", "nosuch"), ("dropbox://KEY:secret@bucket/x", "dropbox://KEY:***@bucket/x")],
)
def test_a_place_that_cannot_be_used_is_named_without_credentials(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        FileStore(address, tmp_path).exists("a")
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot write 'a': Not a directory\n  see to it"):
        FileStore(tmp_path / "file", tmp_path).publish(model(tmp_path / "made"), "a")
