"""Retrying while a store cannot be reached: a lock that another process holds, a server that restarts."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from storage.errors import StoreUnreachable

log = logging.getLogger(__name__)
# Long enough for a server's restart or a backup's lock; after it a search stops, and resumes when it is run again.
PATIENCE_SECONDS = 600.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
# A pause shorter than this is not worth a message.
QUIET_SECONDS = 1.0

T = TypeVar("T")


def with_retries(do: Callable[[], T], patience: float | None = None) -> T:
    """What `do` returns; called repeatedly, with growing pauses, while it raises StoreUnreachable.

    do: something that may be done twice, for the store may have done it without the answer arriving. patience: seconds,
    default PATIENCE_SECONDS; the last StoreUnreachable is raised after them. Logs that it waits.
    """
    ends = time.monotonic() + (PATIENCE_SECONDS if patience is None else patience)
    pause, is_logged = FIRST_PAUSE, False
    while True:
        try:
            done = do()
        except StoreUnreachable as problem:
            if time.monotonic() + pause > ends:
                raise
            if not is_logged and pause > QUIET_SECONDS:
                is_logged = True
                log.warning("%s\n  waiting for it, up to %.0f minutes", problem, (ends - time.monotonic()) / 60)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            if is_logged:
                log.warning("the store is back")
            return done
