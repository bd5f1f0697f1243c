"""Waiting for a store that is away for a while: a lock that another process holds, a server that restarts."""

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
# A pause shorter than this is nothing to tell a user about.
QUIET_SECONDS = 1.0

T = TypeVar("T")


def with_retries(do: Callable[[], T], patience: float | None = None) -> T:
    """What `do` returns; called again, with growing pauses, for as long as it raises StoreUnreachable.

    do: something that may be done twice, for the store may have done it and then not said so. patience: seconds,
    default PATIENCE_SECONDS; the last StoreUnreachable is raised after them. Says through the log that it waits.
    """
    ends = time.monotonic() + (PATIENCE_SECONDS if patience is None else patience)
    pause, told = FIRST_PAUSE, False
    while True:
        try:
            done = do()
        except StoreUnreachable as away:
            if time.monotonic() + pause > ends:
                raise
            if not told and pause > QUIET_SECONDS:
                told = True
                log.warning("%s\n  waiting for it, up to %.0f minutes", away, (ends - time.monotonic()) / 60)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            if told:
                log.warning("the store is back")
            return done
