"""Further local workers of a search: processes that its coordinator starts and ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from stages.runtime.gpu_allocation import all_gpus
from stages.runtime.progress import ProgressReporter, SilentReporter

CLI = Path(__file__).parents[2] / "cli.py"
# A worker has nothing left to do when the coordinator's search is over; one that gets a signal saves its trial first.
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 1.0


@dataclass
class LocalWorkers:
    """Processes that join the searches of this one, their coordinator.

    One that fails reports why, and the search goes on without it; it is not started again before the next study, for
    what ended it would end it again. words: the plan's file and the options that the coordinator was given. size: how
    many there are besides the coordinator. Used as a context: at its end all of them have ended.
    """

    words: Sequence[str] = ()
    size: int = 0
    report: ProgressReporter = field(default_factory=SilentReporter)
    _workers: "dict[int, subprocess.Popen[str]]" = field(default_factory=dict)
    _ending: bool = False

    def start(self) -> None:
        """Starts those that do not run; the study has been created by now."""
        for number in range(2, self.size + 2):
            worker = self._workers.get(number)
            if worker is None or worker.poll() is not None:
                self._workers[number] = self._start(number)

    def __enter__(self) -> "LocalWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._wait()  # they are done, too, and about to end
        self._ending = True
        for stop in (signal.SIGTERM, signal.SIGKILL):
            for worker in self._workers.values():
                if worker.poll() is None:
                    worker.send_signal(stop)
            self._wait()

    def _wait(self) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        for worker in self._workers.values():
            with suppress(subprocess.TimeoutExpired):
                worker.wait(max(0.0, ends - time.monotonic()))

    def _start(self, number: int) -> "subprocess.Popen[str]":
        gpus = all_gpus()  # to take one of, not only the coordinator's
        worker = subprocess.Popen(
            [sys.executable, str(CLI), "worker", *self.words, "--member-of", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=dict(os.environ) | ({"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}),
            start_new_session=True,  # Ctrl-C is for the coordinator, which then ends its workers
        )
        threading.Thread(target=self._pass_on, args=(number, worker, worker.stderr), daemon=True).start()
        return worker

    def _pass_on(self, number: int, worker: "subprocess.Popen[str]", lines: IO[str]) -> None:
        for line in lines:
            if not self._ending and line.strip():
                self.report.message(f"worker {number}: {line.rstrip()}")
        if worker.wait() != 0 and not self._ending:
            self.report.message(f"worker {number} ended with an error; the search goes on without it")


def end_with(coordinator: int) -> None:
    """Ends this process as an interrupt would, soon after its coordinator was killed; a thread watches for that.

    Without it a search that is run again would share the machine with the workers of the killed one.
    """

    def watch() -> None:
        while os.getppid() == coordinator:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
