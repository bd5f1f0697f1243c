"""A GPU belongs to one process, and to another when that one has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage.locks.gpu_lock import take_device


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
