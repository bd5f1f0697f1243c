"""Named folders and files in a local folder: written under a temporary name, flushed, and renamed into place."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import StoreError
from storage.files.atomic_write import flush
from storage.process_identity import is_left_over, new_mark

# in each published folder, with its files' sizes: distinguishes a name from a folder that only holds names
MARK = ".moodline.json"
# where things are while they are written or removed, in a folder each that is named for its writer
UNFINISHED_FOLDER = ".writing"


class LocalFolder:
    """The backend of FileStore on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish(self, source: Path, name: str, *, linked: bool) -> int:
        target = self.root / name
        self._refuse_nesting(name)
        with temporary_folder(self.root, name) as own:
            size = copy(source, own / "new", _link_file if linked else shutil.copyfile)
            target.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(own / "new", target, own / "old")
        return size

    def fetch(self, name: str) -> Path | None:
        return self.root / name if self.exists(name) else None

    def exists(self, name: str) -> bool:
        return _is_whole(self.root / name) and self._above(name) is None

    def remove(self, name: str) -> None:
        if self.exists(name):
            # not found: another worker removes it, too
            with temporary_folder(self.root, name) as own, suppress(FileNotFoundError):
                os.rename(self.root / name, own / "old")

    def names(self) -> Iterator[str]:
        return (path.relative_to(self.root).as_posix() for path in _whole_below(self.root))

    def sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder, _, files in os.walk(self.root):
            for file in files:
                path = Path(folder, file)
                first = path.relative_to(self.root).parts[0]
                with suppress(FileNotFoundError):  # removed since it was listed
                    found[first] = found.get(first, 0) + path.lstat().st_size
        return found

    def sweep(self, now: float) -> int:
        return sweep(self.root, now)

    def _above(self, name: str) -> str | None:
        """The published name that this one would lie in."""
        parts = name.split("/")
        above = ("/".join(parts[:n]) for n in range(1, len(parts)))
        return next((upper for upper in above if _is_whole(self.root / upper)), None)

    def _refuse_nesting(self, name: str) -> None:
        target = self.root / name
        if (upper := self._above(name)) is not None:
            raise StoreError(f"files {self.root}: {name!r} would lie inside {upper!r}")
        if target.is_dir() and not _is_whole(target) and any(target.iterdir()):
            raise StoreError(f"files {self.root}: {name!r} would take the place of other names")


def _is_whole(path: Path) -> bool:
    return path.is_file() or (path / MARK).is_file()


def _whole_below(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if _is_whole(entry):
            yield entry
        else:
            yield from _whole_below(entry)


@contextmanager
def temporary_folder(root: Path, name: str) -> Iterator[Path]:
    """A folder of our own on the same disk, removed at the end; `name` is what it is for."""
    own = root / UNFINISHED_FOLDER / new_mark(time.time())
    own.mkdir(parents=True)
    try:
        (own / "name").write_text(name, encoding="utf-8")
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def files_in(source: Path) -> dict[str, Path]:
    """All files below a folder, links followed: relative path with "/" to path. A mark of ours is none of them."""
    found = {}
    for folder, _, files in os.walk(source, followlinks=True):
        for file in files:
            path = Path(folder, file)
            found[path.relative_to(source).as_posix()] = path
    found.pop(MARK, None)
    return dict(sorted(found.items()))


def copy(source: Path, target: Path, copy_file: Callable[[Path, Path], object]) -> int:
    """Copy a folder, and put the mark in, or a file, down to the disk. Returns the bytes without the mark."""
    if not source.is_dir():
        return _put(source, target, copy_file)
    target.mkdir()
    sizes = {name: _put(path, target / name, copy_file) for name, path in files_in(source).items()}
    (target / MARK).write_text(json.dumps({"files": sizes}, ensure_ascii=False), encoding="utf-8")
    flush(target / MARK)
    return sum(sizes.values())


def _put(source: Path, target: Path, copy_file: Callable[[Path, Path], object]) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    copy_file(source, target)
    flush(target)
    return target.stat().st_size


def _link_file(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the place knows no such thing, or lies on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def put_in_place(new: Path, target: Path, old: Path) -> None:
    """Rename `new` to `target`; a folder that is there, or gives way to one, goes to `old` first."""
    if target.is_dir() or (target.exists() and new.is_dir()):
        os.rename(target, old)
    try:
        os.replace(new, target)
    except OSError:
        if old.exists():
            os.rename(old, target)
        raise


def sweep(root: Path, now: float) -> int:
    """Remove what dead writers left unfinished; complete a replacement that was past its first rename."""
    left = [own for own in (root / UNFINISHED_FOLDER).glob("*") if is_left_over(own.name, now)]
    for own in left:
        with suppress(OSError):
            _finish(root, own)
        shutil.rmtree(own, ignore_errors=True)
    return len(left)


def _finish(root: Path, own: Path) -> None:
    target = root / (own / "name").read_text(encoding="utf-8")
    if (own / "old").exists() and (own / "new").exists() and not target.exists():
        os.replace(own / "new", target)
