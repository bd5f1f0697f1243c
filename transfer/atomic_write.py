"""Files that are written whole or not at all: under a temporary name in the same folder, then renamed.

A temporary name begins with a dot and the process, and ends as the final one, since libraries infer a format from it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A path to write to, renamed to `path` when the block ends and removed when it raises."""
    part = _temporary(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new folder, renamed to `path` when the block ends, unless another process made `path` first."""
    with _temporary_folder(path) as part:
        yield part
        try:
            part.rename(path)
        except OSError:
            if not path.is_dir():
                raise


@contextmanager
def atomic_files(folder: Path, last: str) -> Iterator[Path]:
    """A new folder whose files move into `folder` when the block ends, the one named `last` after all others.

    For readers that take the file `last` as the sign that all are there. folder: made where it is not there.
    """
    with _temporary_folder(folder) as part:
        yield part
        folder.mkdir(exist_ok=True)
        for made in sorted(part.iterdir(), key=lambda file: file.name == last):
            made.replace(folder / made.name)


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    part = _temporary(path)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{os.getpid()}.{path.name}")
