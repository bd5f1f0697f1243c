"""Work that is got ready in a thread while what came before it is done."""

import threading
from collections.abc import Callable, Generator, Iterable
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.1
_END = object()


def ahead(items: Iterable[T], depth: Callable[[], int]) -> Generator[T]:
    """The items in their order, up to `depth()` of them made before they are asked for, one at a time, in a thread.

    depth: at least 1; is asked again and again, for it may change.
    What making one raises is raised where it is asked for. When whoever asks stops, so does the thread.
    """
    queue: Queue[Any] = Queue(depth())
    over = threading.Event()

    def put(item: object) -> None:
        while not over.is_set():
            queue.maxsize = depth()
            try:
                queue.put(item, timeout=LOOK_SECONDS)
            except Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put((item, None))
                if over.is_set():
                    return
            put(_END)
        except BaseException as error:  # noqa: BLE001 - goes to whoever asks
            put((None, error))

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (found := queue.get()) is not _END:
            item, error = found
            if error is not None:
                raise error
            yield item
    finally:
        over.set()
        while thread.is_alive():
            try:
                queue.get_nowait()
            except Empty:
                thread.join(LOOK_SECONDS)
