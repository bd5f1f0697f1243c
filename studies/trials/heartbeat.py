"""A worker's heartbeat while it runs a trial: shows that it is alive and makes progress, and notices a lost claim."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from storage.database.retry import with_retries
from storage.errors import StoreError

log = logging.getLogger(__name__)
INTERVAL_SECONDS = 10.0

# Records a heartbeat: time of the last progress, seconds since 1970, and the share done. Raises LostClaim.
RecordHeartbeat = Callable[[float | None, float | None], None]


class LostClaim(Exception):
    """The trial is another worker's now: leave it alone, report nothing about it, and take another."""


class Heartbeat:
    """A worker's hold on its trial. Others take it over where the worker seems dead or hanging; then every call raises
    LostClaim.

    A lost claim is noticed at the latest after one training step, and before anything of the trial is written where
    others see it: a report, weights, its end.
    """

    def __init__(self, record: RecordHeartbeat) -> None:
        self._record = record
        self._lost: LostClaim | None = None
        self._moved: float | None = None
        self._share: float | None = None

    def moved(self, share: float | None = None) -> None:
        """Notes progress, and writes nothing. share: of the trial's training that is done, 0 to 1. Raises LostClaim."""
        self._moved, self._share = time.time(), share if share is not None else self._share
        if self._lost:
            raise self._lost

    def check(self) -> None:
        """Asks the store, and waits while it is not reached. Raises LostClaim where the trial is another's."""
        self.moved()
        with_retries(self._record_once)

    def _record_once(self) -> None:
        try:
            self._record(self._moved, self._share)
        except LostClaim as lost:
            self._lost = lost
            raise

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Records heartbeats from a thread until the end of the block."""
        stop = threading.Event()
        thread = threading.Thread(target=self._record_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _record_until(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL_SECONDS):
            try:
                self._record_once()
            except LostClaim:
                return
            except StoreError as problem:
                log.debug("no heartbeat: %s", problem)  # out of reach for a moment: that must not end the trial
