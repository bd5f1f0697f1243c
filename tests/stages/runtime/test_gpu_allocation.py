"""Each of several workers gets its part of the cores, and a GPU that few others use."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runtime.gpu_allocation import share_cores
from storage.locks.gpu_lock import take_device


def test_several_workers_share_the_cores_and_one_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")
    share_cores(1)
    assert "OMP_NUM_THREADS" not in os.environ
    share_cores(3)
    assert os.environ["OMP_NUM_THREADS"] == "2"
    share_cores(8)
    assert os.environ["OMP_NUM_THREADS"] == "2"  # what the user set stays


def test_devices_are_dealt_out_and_a_dead_workers_is_free_again(tmp_path: Path) -> None:
    take = "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
    take += "from storage.locks.gpu_lock import take_device\n"
    take += "print(take_device(Path(sys.argv[1]), ['gpu-0', 'gpu-1']), flush=True); sys.stdin.read()"

    def start() -> "tuple[subprocess.Popen[str], int]":
        command = [sys.executable, "-c", take, str(tmp_path), str(Path(__file__).parents[3])]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    started = [start() for _ in range(3)]
    assert [device for _, device in started] == [0, 1, 0]
    os.kill(started[1][0].pid, signal.SIGKILL)
    started[1][0].wait()
    assert take_device(tmp_path, ["gpu-0", "gpu-1"]) == 1
    for process, _ in started:
        process.kill()
        process.communicate()
