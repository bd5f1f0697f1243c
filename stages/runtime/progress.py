"""What a stage reports while it works. The command line prints it; a stage never does."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]


class ProgressReporter(Protocol):
    """Receives a stage's messages and progress."""

    def message(self, text: str) -> None:
        """One line for the user."""

    def bar(self, what: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """Work of `total` units begins; the context gives a function to be called with how many were done."""


class SilentReporter:
    """Drops all messages and progress."""

    def message(self, text: str) -> None:
        """Drops it."""

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Shows nothing."""
        yield lambda done: None
