"""Progress on a terminal: bars with a rate and a time to go; plain lines where there is no terminal.

When nobody reads stderr any more (the other end of the pipe is closed), work goes on silently.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from stages.runtime.progress import Advance, SilentReporter

PLAIN_SECONDS = 10.0  # between two plain lines about one piece of work


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {task.fields['unit']}/s", style="progress.data.speed")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process, and drop its results as well."""
        self.quiet = True
        _silence_stderr()


class Terminal:
    """Writes to stderr, so that stdout holds results alone."""

    def __init__(self) -> None:
        self.console = _Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def message(self, text: str) -> None:
        self.console.print(text, markup=False)

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """A bar on a terminal; else a line now and then, and one at the end."""
        if not self.console.is_terminal:
            yield from _plain(self, what, total, unit)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(what, total=total, unit=unit)
            yield lambda done: progress.advance(task, done)


class Lines(SilentReporter):
    """What one of several workers reports to the process that started it: lines, without progress bars."""

    def message(self, text: str) -> None:
        try:
            print(text, file=sys.stderr, flush=True)
        except BrokenPipeError:  # the coordinator is gone; a worker must not fail for that
            _silence_stderr()


def _silence_stderr() -> None:
    """Discards all that this process writes to stderr from now on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _plain(terminal: Terminal, what: str, total: int | None, unit: str) -> Iterator[Advance]:
    began = reported = time.monotonic()
    count = 0.0

    def advance(done: float) -> None:
        nonlocal reported, count
        count += done
        now = time.monotonic()
        if now - reported >= PLAIN_SECONDS:
            reported = now
            terminal.message(_plain_line(what, count, total, unit, now - began))

    yield advance
    terminal.message(_plain_line(what, count, total, unit, time.monotonic() - began))


def _plain_line(what: str, count: float, total: int | None, unit: str, seconds: float) -> str:
    rate = count / max(seconds, 1e-9)
    line = f"{what}: {count:,.0f}{f' of {total:,}' if total else ''} {unit}, {rate:,.0f}/s"
    if total and count < total and rate > 0:
        line += f", {(total - count) / rate:,.0f} s to go"
    return line
