"""Writing a file so that its path never shows half of it, after a kill or a power cut either."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends; folders are made.

    It is written under a name of its own in the same folder, flushed to the disk and renamed. Where the block or the
    disk raises, `path` is as it was. Several processes may replace one path: the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Replaces the file's content, as `replacing` does. Raises OSError, then path is as it was."""
    with replacing(path) as file:
        file.write(content)


def flush(path: Path) -> None:
    """Has a written file on the disk: after a power cut one that was renamed and not flushed may be empty."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
