"""Files: weights, checkpoints and shards under names, in a local folder or any fsspec URL."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.database.url import masked
from storage.errors import StoreError
from storage.files.local_folder import LocalFolder
from storage.files.object_store import ObjectStore

# parts joined by "/": none begins with a dot, and none has what a file system or fsspec reads otherwise
NAME = re.compile(r"[^./\\:*?\[\]\"<>|\x00-\x1f][^/\\:*?\[\]\"<>|\x00-\x1f]*")


class FileStore:
    """Whole folders and files under names like "search/klue-bert/trial-3".

    A name has all of what was published under it or does not exist, for every reader and at every moment,
    also after a kill -9 or a full disk. One process owns a name at a time; different names may be published,
    fetched and removed by any number of processes and, where the place is shared, hosts at once. What is
    published is a copy, unless `linked`. A folder holds either one name's files or other names, never both: with "a/b",
    "a" is refused.

    Local folder (a path or file:// URL): written under a temporary name, flushed to the disk, and renamed into place. A
    file is replaced in one step. A folder has two renames, and a kill between them leaves the name empty until `sweep`
    puts the new folder in. fsspec URL: a folder counts once its list of files was written, last of all; replacing one
    empties the name first. Credentials belong into the environment; those in the URL are never shown.

    Raises StoreError from every method where the place cannot be reached, read or written.
    """

    def __init__(self, url_or_path: str | Path, cache: Path) -> None:
        """cache: folder on this machine for what is fetched from a URL; of each name the last version stays."""
        url = str(url_or_path)
        self._shown = masked(url)
        with self._explained("cannot be used"):
            self._place: ObjectStore | LocalFolder = (
                ObjectStore(url, cache)
                if "://" in url and not url.startswith("file://")
                else LocalFolder(Path(url.removeprefix("file://")))
            )

    def publish(self, folder_or_file: Path, name: str, *, linked: bool = False) -> int:
        """Copy a folder (with all below it) or a file under the name, in place of what it had. Returns its bytes.

        linked: the files will never be written to again, so that their content may be shared in place of copied.
        """
        with self._explained("cannot write", name):
            return self._place.publish(folder_or_file, name, linked=linked)

    def fetch(self, name: str) -> Path:
        """The folder or file on this machine, to be read only; from a URL it is downloaded once into the cache.

        Raises StoreError if the name does not exist.
        """
        with self._explained("cannot read", name):
            path = self._place.fetch(name)
        if path is None:
            raise StoreError(
                f"files {self._shown}: no {name!r}",
                "it was removed or never finished; run the command again to make it",
            )
        return path

    def location(self, name: str) -> str:
        """Where the name lies or would lie: a path, or a URL without credentials."""
        _check(name)
        return f"{self._shown.rstrip('/')}/{name}"

    def exists(self, name: str) -> bool:
        """Whether something whole lies under the name."""
        with self._explained("cannot read", name):
            return self._place.exists(name)

    def remove(self, name: str) -> None:
        """Remove the name at once, then what lay under it; a name that does not exist is no error.

        Several may remove one name at once, as workers do with a model that all of them see displaced.
        """
        with self._explained("cannot remove", name):
            self._place.remove(name)

    def names(self, prefix: str = "") -> list[str]:
        """The names that exist and begin with `prefix`, sorted."""
        with self._explained("cannot be listed"):
            return sorted(name for name in self._place.names() if name.startswith(prefix))

    def size(self) -> int:
        """Bytes of all that lies there, unfinished things too."""
        return sum(self.sizes().values())

    def sizes(self) -> dict[str, int]:
        """The same by the first part of the names; what is unfinished or half removed as ".writing"."""
        with self._explained("cannot be listed"):
            return self._place.sizes()

    def sweep(self, now: float | None = None) -> int:
        """Remove what killed writers left unfinished, and return how many things that were.

        A writer counts as killed when its process on this host is gone; one on another host after a day.
        now: seconds since 1970, default the clock.
        """
        with self._explained("unfinished files cannot be removed"):
            return self._place.sweep(time.time() if now is None else now)

    @contextmanager
    def _explained(self, what: str, name: str | None = None) -> Iterator[None]:
        if name is not None:
            _check(name)
            what = f"{what} {name!r}"
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # fsspec's file systems have no common base class of errors
            found = getattr(error, "strerror", None) or f"{error}" or type(error).__name__
            raise StoreError(f"files {self._shown}: {what}: {masked(found)}", *_advice(error)) from error


def _check(name: str) -> None:
    if not all(NAME.fullmatch(part) and len(part.encode()) <= 255 for part in name.split("/")):
        raise ValueError(f"no name for files: {name!r}")


def _advice(error: Exception) -> list[str]:
    if isinstance(error, ImportError):
        return ["install the package that it names"]
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        return ["see to it that it may be read and written, or name another place in `files`"]
    if isinstance(error, OSError):
        return [
            "make room on the disk or start the server, then run the same command again: nothing incomplete is kept"
        ]
    return []
