"""One process leads a workspace, and a second one is told who."""

import os
import signal
import sys
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer

import pytest
from filelock import FileLock

from storage.errors import StoreError
from storage.locks.workspace_lock import holder, lead


def lead_until_told(workspace: Path, led: Connection, forks: bool = False) -> None:
    sys.argv = ["/usr/bin/moodline", "run", "plan.yaml", "--set", "store=postgresql://anna:secret@db/x"]
    with lead(workspace):
        me = os.getpid()
        if forks and os.fork() == 0:
            led.send(me)
            time.sleep(5)  # as a data loader's process that outlives its parent
            os._exit(0)
        if not forks:
            led.send(me)
        led.recv()


def start_leader(
    processes: ForkServerContext, workspace: Path, forks: bool = False
) -> tuple[BaseProcess, Connection, int]:
    ours, theirs = processes.Pipe()
    process = processes.Process(target=lead_until_told, args=(workspace, theirs, forks))
    process.start()
    return process, ours, ours.recv()


def test_a_second_leader_is_told_of_the_first_until_that_one_ends(tmp_path: Path, processes: ForkServerContext) -> None:
    process, led, pid = start_leader(processes, tmp_path / "runs")
    with pytest.raises(StoreError) as raised, lead(tmp_path / "runs"):
        pass
    for told in (f"process {pid} on host {os.uname().nodename}", "UTC", "moodline run plan.yaml", "worker PLAN"):
        assert told in str(raised.value)
    assert "secret" not in str(raised.value)
    found = holder(tmp_path / "runs")
    assert found is not None
    assert (found.pid, found.command) == (
        pid,
        "moodline run plan.yaml --set store=postgresql://anna:***@db/x",
    )
    assert abs((datetime.now(UTC) - found.since).total_seconds()) < 60
    led.send("end")
    process.join(10)
    assert holder(tmp_path / "runs") is None
    with lead(tmp_path / "runs"):
        own = holder(tmp_path / "runs")
        assert own is not None
        assert own.pid == os.getpid()


@pytest.mark.parametrize("forks", [False, True])
def test_a_killed_leader_leads_no_more(forks: bool, tmp_path: Path, processes: ForkServerContext) -> None:
    process, _, pid = start_leader(processes, tmp_path, forks)
    os.kill(pid, signal.SIGKILL)
    process.join(10)
    assert holder(tmp_path) is None
    with lead(tmp_path):
        pass


def test_an_error_ends_the_lead(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), lead(tmp_path):
        raise KeyboardInterrupt
    assert holder(tmp_path) is None
    with lead(tmp_path):
        pass


def test_one_process_cannot_lead_twice(tmp_path: Path) -> None:
    with lead(tmp_path), pytest.raises(StoreError, match=f"process {os.getpid()}"), lead(tmp_path):
        pass


def test_asking_who_leads_keeps_no_leader_out(tmp_path: Path) -> None:
    asking = FileLock(tmp_path / "leader.lock", thread_local=False)
    asking.acquire()
    Timer(0.2, asking.release).start()
    with lead(tmp_path):
        assert not asking.is_locked


def test_nobody_leads_a_workspace_that_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "runs") is None
    assert not (tmp_path / "runs").exists()


def test_a_workspace_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be written .*\n  make it writable"), lead(tmp_path / "file"):
        pass
