"""What a stage says while it works. The command line draws it; a stage never prints."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]


class ProgressReporter(Protocol):
    """Where a stage's words and progress go."""

    def message(self, text: str) -> None:
        """One line for the user."""

    def bar(self, what: str, total: int | None, unit: str) -> AbstractContextManager[Advance]:
        """A piece of work of `total` units begins; what the context gives is called with how many were done."""


class SilentReporter:
    """A report that nobody reads."""

    def message(self, text: str) -> None:
        """Drops it."""

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Counts for nobody."""
        yield lambda done: None
