"""Writing a file so that its path never shows half of it."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside the path and renames into place; folders are made. Raises OSError, then path is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
