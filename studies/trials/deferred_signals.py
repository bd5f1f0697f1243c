"""Ctrl-C and SIGTERM held back until the work stands where it can be saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


class DeferredSignals:
    """Whether an interrupt came while it was held back."""

    def __init__(self) -> None:
        self.came = False

    def take(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: the first is noted, a second ends at once what the first could not."""
        if self.came:
            raise KeyboardInterrupt
        self.came = True


@contextmanager
def deferred_signals() -> Iterator[DeferredSignals]:
    """Interrupts inside the block are noted and not raised; at its end one that came is raised as KeyboardInterrupt.

    Look at `came` often: a user waits. Signals reach the main thread only; in another one nothing is held back.
    """
    held = DeferredSignals()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    heeded = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]  # nohup means it
    before = {number: signal.signal(number, held.take) for number in heeded}
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held.came:
        raise KeyboardInterrupt
