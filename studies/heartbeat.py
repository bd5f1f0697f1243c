"""One trial in the hands of one worker: it shows that it lives and gets on, and learns when it is another's."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storage.database.retry import with_retries
from storage.errors import StoreError

log = logging.getLogger(__name__)
BEAT_SECONDS = 10.0

# Tells the store that the worker lives; when it last got on, seconds since 1970; the share done. Raises LostClaim.
Beat = Callable[[float | None, float | None], None]


class LostClaim(Exception):
    """The trial is another worker's now: leave it alone, tell nothing about it, and take another."""


class Heartbeat:
    """A worker's hold on its trial. Others take it where the worker seems dead or hanging; then every call raises.

    A lost heartbeat is noticed at the latest after one training step, and before anything of the trial is written where
    others see it: a report, weights, its end.
    """

    def __init__(self, beat: Beat) -> None:
        self._beat = beat
        self._lost: LostClaim | None = None
        self._moved: float | None = None
        self._share: float | None = None

    def moved(self, share: float | None = None) -> None:
        """The worker got on; share: of the trial's training that is done, 0 to 1. Writes nothing. Raises LostClaim."""
        self._moved, self._share = time.time(), share if share is not None else self._share
        if self._lost:
            raise self._lost

    def check(self) -> None:
        """Asks the store, and waits for it where it is away. Raises LostClaim where the trial is another's."""
        self.moved()
        with_retries(self._beat_once)

    def _beat_once(self) -> None:
        try:
            self._beat(self._moved, self._share)
        except LostClaim as lost:
            self._lost = lost
            raise

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beats from a thread until the end of the block."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _beat_until(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                self._beat_once()
            except LostClaim:
                return
            except StoreError as problem:
                log.debug("no beat: %s", problem)  # a store that is away for a moment must not end the trial
