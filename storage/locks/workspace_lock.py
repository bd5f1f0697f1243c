"""One process coordinates a workspace; a second one is refused with the name of the first.

The lock is the operating system's, so it ends with the process, kill -9 included. A second file names its
holder; it means nothing while the lock is free.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from storage.database.url import masked
from storage.errors import StoreError
from storage.files.atomic_write import write_whole
from storage.process_identity import is_running, this_process

# `holder` takes the lock for an instant to see whether it is free: a coordinator must not be refused for that
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The coordinator: its host, number, start (seconds since 1970), command line, and since when (UTC).

    Passwords in the command line are masked. A coordinator that has not written its name yet is process 0 of host
    "unknown".
    """

    host: str
    pid: int
    process_started: float
    command: str
    since: datetime


@contextmanager
def lead(workspace: Path) -> Iterator[None]:
    """Coordinate the workspace (made if need be) until the end of the block, or of the process.

    Raises StoreError when another process coordinates it, naming that one, and when it cannot be written.
    """
    lock = _lock(workspace)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout:
        raise _refusal(workspace) from None
    except OSError as error:
        raise _unwritable(workspace, error) from None
    try:
        _write_holder(workspace)
        yield
    finally:
        with suppress(OSError):
            _holder_file(workspace).unlink(missing_ok=True)
        lock.release()


def holder(workspace: Path) -> LockHolder | None:
    """The workspace's coordinator; None if there is none. Makes no file and changes none."""
    lock = _lock(workspace)
    if not os.path.exists(lock.lock_file):
        return None
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        return _read_holder(workspace)
    except OSError:  # a workspace that we may only read: believe the file as long as the process runs
        found = _read_holder(workspace)
        return None if is_running(found.host, found.pid, found.process_started) is False else found


def _lock(workspace: Path) -> FileLock:
    return FileLock(workspace / "leader.lock")


def _holder_file(workspace: Path) -> Path:
    return workspace / "leader.json"


def _write_holder(workspace: Path) -> None:
    me = this_process()
    found = {
        "host": me.host,
        "pid": me.pid,
        "process_started": me.process_started,
        "command": " ".join([Path(sys.argv[0]).name, *map(masked, sys.argv[1:])]),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        write_whole(_holder_file(workspace), json.dumps(found, ensure_ascii=False).encode())
    except OSError as error:
        raise _unwritable(workspace, error) from None


def _read_holder(workspace: Path) -> LockHolder:
    try:
        found = json.loads(_holder_file(workspace).read_text(encoding="utf-8"))
        found["since"] = datetime.fromisoformat(found["since"])
        return LockHolder(**found)
    except (OSError, ValueError, KeyError, TypeError):
        return LockHolder("unknown", 0, 0.0, "unknown", datetime.now(UTC))


def _refusal(workspace: Path) -> StoreError:
    found = _read_holder(workspace)
    since = f"{found.since:%Y-%m-%d %H:%M:%S} UTC"
    return StoreError(
        f"workspace {workspace}: process {found.pid} on host {found.host} leads it since {since}",
        f"its command: {found.command}",
        "wait until it ends, or stop it (Ctrl-C there, or `kill` its process) and run this again",
        "`moodline worker PLAN` joins its search instead; `moodline status PLAN` shows how far it is",
    )


def _unwritable(workspace: Path, error: OSError) -> StoreError:
    return StoreError(
        f"workspace {workspace}: cannot be written ({error.strerror or error})",
        "make it writable, or name another folder in `workspace`",
    )
