"""Which worker of this host has which device: lock files, which end with the process that holds them."""

import socket
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

# far more workers than a device bears
MOST_SHARING = 64
_held: list[FileLock] = []  # until the process ends


def take_device(workspace: Path, devices: Sequence[str]) -> int:
    """Index of the device that the fewest living workers of this workspace and host hold; held until we end.

    devices: their names, at least one. Beyond 64 workers for each device the first is taken.
    """
    folder = workspace / "devices"
    folder.mkdir(parents=True, exist_ok=True)
    for sharing in range(MOST_SHARING):
        for index, device in enumerate(devices):
            lock = FileLock(folder / f"{socket.gethostname()}-{device}-{sharing}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            _held.append(lock)
            return index
    return 0
