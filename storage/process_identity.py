"""The identity of a process: host, number and start, so that a later one with the same number is another."""

import os
import socket
from dataclasses import dataclass
from urllib.parse import quote, unquote
from uuid import uuid4

# the kernel's start times shift by a second or so when the clock is set
SAME_START_SECONDS = 5.0
# processes of another host cannot be seen, so what they left is kept for a day
FOREIGN_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One worker: host, process and its start (seconds since 1970, UTC); name: no other worker ever has it."""

    host: str
    pid: int
    process_started: float
    name: str


def this_process(name: str | None = None) -> ProcessIdentity:
    """A new worker in this process. name: default host, process and a random part."""
    host, pid = socket.gethostname(), os.getpid()
    return ProcessIdentity(host, pid, _started(pid) or 0.0, name or f"{host}-{pid}-{uuid4().hex[:6]}")


def is_running(host: str, pid: int, process_started: float) -> bool | None:
    """Whether that process still runs; None where that cannot be seen, because it is another host's."""
    if host != socket.gethostname():
        return None
    started = _started(pid)
    return started is not None and abs(started - process_started) < SAME_START_SECONDS


def _started(pid: int) -> float | None:
    """When the process began, seconds since 1970; None if there is none, or only what a dead one left."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def new_mark(now: float) -> str:
    """A unique name for something unfinished, with its writer and time."""
    me = this_process()
    return f"{quote(me.host, safe='')}~{me.pid}~{me.process_started:.0f}~{now:.0f}~{uuid4().hex[:12]}"


def is_left_over(mark: str, now: float) -> bool:
    """True if the writer of what bears the mark is dead, or on another host and a day old; False if not a mark."""
    try:
        host, pid, started, since, _ = mark.split("~")
        running = is_running(unquote(host), int(pid), float(started))
        return now - float(since) > FOREIGN_SECONDS if running is None else not running
    except ValueError:
        return False
