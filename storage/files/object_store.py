"""Named folders and files behind an fsspec URL, where nothing but one small object is written at once."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import Any
from urllib.parse import quote

from storage.errors import StoreError
from storage.files.local_folder import MARK, UNFINISHED_FOLDER, files_in, sweep, temporary_folder
from storage.process_identity import is_left_over, new_mark

# in each folder that is being written or removed: its writer's mark; the last thing to go
UNFINISHED = ".unfinished"
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Version:
    """What a name has now. files: relative path to bytes of a folder; None for a single file."""

    id: str
    files: dict[str, int] | None


class ObjectStore:
    """The backend of FileStore behind a URL. A folder is complete once `.moodline.json` is in it, written last."""

    def __init__(self, url: str, cache: Path) -> None:
        from fsspec.core import url_to_fs

        self.fs, path = url_to_fs(url)
        self.root = str(self.fs._strip_protocol(path)).rstrip("/")
        self.cache = cache

    def publish(self, source: Path, name: str, *, linked: bool) -> int:
        mark = new_mark(time.time())
        self._refuse_nesting(name)
        if not source.is_dir():
            self._remove(name)
            return self._publish_file(source, f"{self.root}/{UNFINISHED_FOLDER}/{mark}", self._at(name))
        self._begin(name, mark)
        try:
            sizes = self._put(name, files_in(source))
            self._write(f"{self._at(name)}/{MARK}", json.dumps({"version": mark, "files": sizes}))
            self._delete([f"{self._at(name)}/{UNFINISHED}"])
        except BaseException:
            with suppress(Exception):
                self._clear(name)
            raise
        return sum(sizes.values())

    def _put(self, name: str, files: dict[str, Path]) -> dict[str, int]:
        targets = [f"{self._at(name)}/{file}" for file in files]
        for folder in {os.path.dirname(target) for target in targets}:
            self.fs.makedirs(folder, exist_ok=True)
        self.fs.put([str(path) for path in files.values()], targets)
        return {file: path.stat().st_size for file, path in files.items()}

    def _publish_file(self, source: Path, temporary: str, target: str) -> int:
        self.fs.makedirs(os.path.dirname(temporary), exist_ok=True)
        self.fs.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            self.fs.put_file(str(source), temporary)
            self.fs.mv(temporary, target)
        except BaseException:
            with suppress(Exception):
                self._delete([temporary])
            raise
        return source.stat().st_size

    def _begin(self, name: str, mark: str) -> None:
        if self.fs.isfile(self._at(name)):
            self._delete([self._at(name)])
        self._write(f"{self._at(name)}/{UNFINISHED}", mark)
        self._empty(name)

    def fetch(self, name: str) -> Path | None:
        for _ in range(ATTEMPTS):
            version = self._version(name)
            if version is None:
                return None
            kept = self.cache / quote(name, safe="") / version.id / PurePosixPath(name).name
            if kept.exists() or self._download(name, version, kept):
                return kept
        raise StoreError(f"{name!r} was replaced each time while it was read")

    def _download(self, name: str, version: Version, kept: Path) -> bool:
        """Put the version at `kept`, whole; False if the name was replaced or removed meanwhile."""
        with temporary_folder(self.cache, name) as own:
            new = own / "new"
            try:
                self._get(name, version, new)
            except FileNotFoundError:
                return False
            if self._version(name) != version:
                return False
            _check_sizes(name, version, new)
            kept.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(new, kept)
            except OSError:  # another process may have fetched it first
                if not kept.exists():
                    raise
        for other in kept.parent.parent.iterdir():
            if other != kept.parent:
                rmtree(other, ignore_errors=True)
        return True

    def _get(self, name: str, version: Version, new: Path) -> None:
        if version.files is None:
            self.fs.get_file(self._at(name), str(new))
            return
        for file in version.files:
            (new / file).parent.mkdir(parents=True, exist_ok=True)
        files = list(version.files)
        self.fs.get([f"{self._at(name)}/{file}" for file in files], [str(new / file) for file in files])

    def exists(self, name: str) -> bool:
        return self._version(name) is not None

    def remove(self, name: str) -> None:
        for _ in range(ATTEMPTS):
            with suppress(FileNotFoundError):  # another worker removes it, too
                self._remove(name)
                return

    def _remove(self, name: str) -> None:
        version = self._version(name)
        if version is not None and version.files is None:
            self._delete([self._at(name)])
        elif version is not None:
            self._write(f"{self._at(name)}/{UNFINISHED}", new_mark(time.time()))
            self._clear(name)

    def names(self) -> Iterator[str]:
        found = list(self._found())
        folders = {os.path.dirname(path) for path in found if os.path.basename(path) in (MARK, UNFINISHED)}
        whole = {os.path.dirname(path) for path in found if os.path.basename(path) == MARK}
        yield from whole
        for path in found:
            hidden = "/." in f"/{path}"
            if not hidden and not any(str(upper) in folders for upper in PurePosixPath(path).parents):
                yield path

    def sizes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for path, size in self._found().items():
            first = UNFINISHED_FOLDER if path.endswith(f"/{UNFINISHED}") else path.split("/")[0]
            found[first] = found.get(first, 0) + size
        return found

    def sweep(self, now: float) -> int:
        swept = sweep(self.cache, now)
        for path in self._found():
            folder, file = os.path.split(path)
            if folder == UNFINISHED_FOLDER and is_left_over(file, now):
                self._delete([self._at(path)])
                swept += 1
            elif file == UNFINISHED and self._is_left(path, now):
                self._settle(folder)
                swept += 1
        return swept

    def _is_left(self, path: str, now: float) -> bool:
        try:
            return is_left_over(self.fs.cat_file(self._at(path)).decode(), now)
        except FileNotFoundError:  # finished since it was listed
            return False

    def _settle(self, name: str) -> None:
        """A dead writer's folder: whole if it has its mark, else nothing."""
        if self._version(name) is None:
            self._clear(name)
        else:
            self._delete([f"{self._at(name)}/{UNFINISHED}"])

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _found(self, name: str = "") -> dict[str, int]:
        """All files below the name, as they are now: path relative to the root, bytes."""
        self.fs.invalidate_cache()
        found = self.fs.find(self._at(name).rstrip("/"), detail=True)
        return {str(path)[len(self.root) + 1 :]: int(info.get("size") or 0) for path, info in found.items()}

    def _version(self, name: str) -> Version | None:
        self.fs.invalidate_cache()
        try:
            marked: dict[str, Any] = json.loads(self.fs.cat_file(f"{self._at(name)}/{MARK}"))
            return Version(marked["version"], marked["files"])
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a mark that was half written
            if not self.fs.isfile(self._at(name)):
                return None
            key = str(self.fs.ukey(self._at(name)))
            return Version(hashlib.sha256(key.encode()).hexdigest()[:16], None)

    def _refuse_nesting(self, name: str) -> None:
        for upper in list(PurePosixPath(name).parents)[:-1]:
            if self._version(str(upper)) is not None:
                raise StoreError(f"{name!r} would lie inside {str(upper)!r}")
        found = self._found(name)
        own = {name, f"{name}/{MARK}", f"{name}/{UNFINISHED}"}
        if found and not own & set(found):
            raise StoreError(f"{name!r} would take the place of other names")

    def _write(self, path: str, text: str) -> None:
        self.fs.makedirs(os.path.dirname(path), exist_ok=True)
        self.fs.pipe_file(path, text.encode())

    def _clear(self, name: str) -> None:
        self._empty(name)
        # with the empty folders that a disk would keep
        self.fs.rm(self._at(name), recursive=True)

    def _empty(self, name: str) -> None:
        """Remove the mark, then the rest; the sign that the folder is unfinished stays."""
        found = set(self._found(name)) - {f"{name}/{UNFINISHED}"}
        for group in (found & {f"{name}/{MARK}"}, found - {f"{name}/{MARK}"}):
            self._delete([self._at(path) for path in sorted(group)])

    def _delete(self, paths: list[str]) -> None:
        if paths:
            self.fs.rm(paths)


def _check_sizes(name: str, version: Version, new: Path) -> None:
    for file, size in (version.files or {}).items():
        got = (new / file).stat().st_size
        if got != size:
            raise StoreError(
                f"{name}/{file}: {got} bytes arrived of {size}",
                "run the same command again; nothing incomplete is kept",
            )
