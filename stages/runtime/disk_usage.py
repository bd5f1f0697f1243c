"""The size of a run on disk, by purpose."""

import os
from contextlib import suppress
from pathlib import Path

from stages.runtime.run_context import ADAPTED, ADAPTERS, SAMPLES, SHARDS, Run

# first parts of names in files, and of paths in the workspace
IN_FILES = dict.fromkeys(("models", ADAPTERS, ADAPTED), "weights")
IN_FILES |= {"artifacts": "artifacts", SHARDS: "shards", SAMPLES: "shards"}
IN_WORKSPACE = {"scratch": "checkpoints", "cache": "cache", "moodline.db": "store"}


def disk(run: Run) -> dict[str, int]:
    """Bytes of `weights`, `checkpoints`, `artifacts`, `shards`, `cache`, `store` and `other`; a server's store is none.

    What is being written or removed at that moment is `other`.
    """
    found = dict.fromkeys([*IN_FILES.values(), *IN_WORKSPACE.values(), "other"], 0)
    for first, size in run.files.sizes().items():
        found[IN_FILES.get(first, "other")] += size
    for first, size in _sizes_below(run.root, without=run.root / "files").items():
        store = "moodline.db" if first.startswith("moodline.db") else first  # with -wal, -shm and .lock
        found[IN_WORKSPACE.get(store, "other")] += size
    return found


def _sizes_below(folder: Path, without: Path) -> dict[str, int]:
    """Bytes by the first part of the paths; a file that is renamed or removed meanwhile is left out."""
    found: dict[str, int] = {}
    for place, folders, names in os.walk(folder):
        if Path(place) == folder and without.name in folders:
            folders.remove(without.name)
        first = Path(place).relative_to(folder).parts[:1]
        for name in names:
            with suppress(OSError):
                key = first[0] if first else name
                found[key] = found.get(key, 0) + os.lstat(os.path.join(place, name)).st_size
    return found
