"""Items made in a thread while the one before is used."""

import threading
from collections.abc import Callable, Generator, Iterable
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.1
_END = object()


def prefetch(items: Iterable[T], depth: Callable[[], int]) -> Generator[T]:
    """The items in their order, up to `depth()` of them made before they are asked for, one at a time, in a thread.

    depth: at least 1; called before each item, for it may change.
    An error in making an item is raised when that item is asked for. Closing the generator ends the thread.
    """
    queue: Queue[Any] = Queue(depth())
    closed = threading.Event()

    def put(item: object) -> None:
        while not closed.is_set():
            queue.maxsize = depth()
            try:
                queue.put(item, timeout=POLL_SECONDS)
            except Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put((item, None))
                if closed.is_set():
                    return
            put(_END)
        except BaseException as error:  # noqa: BLE001 - raised where the item is asked for
            put((None, error))

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (made := queue.get()) is not _END:
            item, error = made
            if error is not None:
                raise error
            yield item
    finally:
        closed.set()
        while thread.is_alive():
            try:
                queue.get_nowait()
            except Empty:
                thread.join(POLL_SECONDS)
