"""Items are made meanwhile, in their order, and no more of them than the depth allows."""

import threading
from collections.abc import Iterator

import pytest

from stages.infer.prefetch import prefetch

LONG = 10.0  # seconds; nothing here takes as long unless it hangs


def test_the_next_is_made_while_the_one_before_is_worked_on() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    found = prefetch(items(), lambda: 1)
    assert next(found) == 1
    assert second.wait(LONG)  # though nobody asked for it yet
    assert list(found) == [2]


def test_no_more_are_made_than_may_wait() -> None:
    made: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            if i == 3:
                third.set()
            yield i

    found = prefetch(items(), lambda: 2)
    assert next(found) == 0
    assert third.wait(LONG)
    assert len(made) <= 4  # one that was taken, two that wait, one that waits to
    assert list(found) == list(range(1, 50))


def test_what_goes_wrong_is_raised_where_it_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("second")

    found = prefetch(items(), lambda: 3)
    assert next(found) == 1
    with pytest.raises(ValueError, match="second"):
        next(found)


def test_when_nobody_asks_any_more_the_thread_ends() -> None:
    before = threading.active_count()
    found = prefetch(iter(range(1000)), lambda: 2)
    next(found)
    assert threading.active_count() == before + 1
    found.close()
    assert threading.active_count() == before
