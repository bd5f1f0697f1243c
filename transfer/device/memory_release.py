"""Returns memory that a finished trial no longer needs to the system."""

import ctypes
import gc
import sys
from contextlib import suppress
from itertools import count

_calls = count()


def release_memory() -> None:
    """Frees what only reference cycles hold, and returns free memory to the system where the C library can.

    glibc keeps what torch frees in pieces between blocks in use; batches of ever other shapes then find no piece that
    fits. Four trials of a MiniLM grew from 1 to 2.7 GB so, and stay within 1 GB with this.
    What lives at the first two calls lives as long as the process: a million objects of modules imported before a
    model was loaded, and some hundred thousand of those imported for it. They are not looked through again.
    """
    gc.collect()
    if next(_calls) < 2:
        gc.freeze()
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # musl has none
            ctypes.CDLL(None).malloc_trim(0)
