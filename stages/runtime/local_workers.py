"""Further workers of a search: processes that its leader starts and ends, and what each of them computes on."""

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

from stages.runtime.progress import ProgressReporter, SilentReporter

CLI = Path(__file__).parents[2] / "cli.py"
# A member has nothing left to do when the leader's search is over; one that is told to stop saves its trial first.
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 1.0
# Names of the GPUs that there were before one was taken, for work that is dealt over all of them.
ALL_GPUS = "MOODLINE_GPUS"


@dataclass
class LocalWorkers:
    """Members that join the searches of the process that leads.

    A member that fails says why, and the search goes on without it; it is not started again before the next study,
    for what ended it would end it again. words: the plan's file and the options that the leader was given. size: how
    many members beside the leader. Used as a context: at its end all members have ended.
    """

    words: Sequence[str] = ()
    size: int = 0
    report: ProgressReporter = field(default_factory=SilentReporter)
    _members: "dict[int, subprocess.Popen[str]]" = field(default_factory=dict)
    _ending: bool = False

    def call(self) -> None:
        """Starts the members that are not there; the study is made by now."""
        for number in range(2, self.size + 2):
            member = self._members.get(number)
            if member is None or member.poll() is not None:
                self._members[number] = self._start(number)

    def __enter__(self) -> "LocalWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._wait()  # they are done, too, and about to leave
        self._ending = True
        for stop in (signal.SIGTERM, signal.SIGKILL):
            for member in self._members.values():
                if member.poll() is None:
                    member.send_signal(stop)
            self._wait()

    def _wait(self) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        for member in self._members.values():
            with suppress(subprocess.TimeoutExpired):
                member.wait(max(0.0, ends - time.monotonic()))

    def _start(self, number: int) -> "subprocess.Popen[str]":
        member = subprocess.Popen(
            [sys.executable, str(CLI), "worker", *self.words, "--member-of", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_with_all_gpus(),
            start_new_session=True,  # Ctrl-C is for the leader, which then ends its crew
        )
        threading.Thread(target=self._pass_on, args=(number, member, member.stderr), daemon=True).start()
        return member

    def _pass_on(self, number: int, member: "subprocess.Popen[str]", lines: IO[str]) -> None:
        for line in lines:
            if not self._ending and line.strip():
                self.report.message(f"worker {number}: {line.rstrip()}")
        if member.wait() != 0 and not self._ending:
            self.report.message(f"worker {number} ended with an error; the search goes on without it")


def end_with(leader: int) -> None:
    """Ends this process as an interrupt would, soon after its leader was killed; a thread looks after that.

    Without it a search that is run again would share the machine with the workers of the killed one.
    """

    def look() -> None:
        while os.getppid() == leader:
            time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True).start()


def share_cores(workers: int) -> None:
    """Gives each of several workers its part of the processor's cores; before torch is imported, which reads it."""
    if workers > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // workers)))


def take_gpu(workspace: Path, report: ProgressReporter) -> None:
    """Makes one GPU the only one that this process sees: a free one, else one that the fewest workers share.

    Before CUDA is begun. Does nothing where there are not several.
    """
    import torch

    from storage.locks.gpu_lock import take_device

    count = torch.cuda.device_count()
    if count < 2:
        return
    names = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if len(names) != count:
        names = [str(number) for number in range(count)]
    os.environ.setdefault(ALL_GPUS, ",".join(names))
    taken = take_device(workspace, [f"gpu-{name}" for name in names])
    os.environ["CUDA_VISIBLE_DEVICES"] = names[taken]
    report.message(f"on GPU {names[taken]} of {count}")


def _with_all_gpus() -> dict[str, str]:
    """This process's environment, in which a member finds all GPUs to take one of, not only its leader's."""
    names = all_gpus()
    return dict(os.environ) | ({"CUDA_VISIBLE_DEVICES": ",".join(names)} if names else {})


def all_gpus() -> list[str]:
    """Names of this machine's GPUs, as CUDA_VISIBLE_DEVICES names them, where there are several; [] otherwise."""
    return [name for name in os.environ.get(ALL_GPUS, "").split(",") if name]
