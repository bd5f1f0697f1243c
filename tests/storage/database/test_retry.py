"""A store that is not reached is waited for, and for no longer than was asked."""

import logging

import pytest

from storage.database import retry
from storage.database.retry import with_retries
from storage.errors import StoreError, StoreUnreachable


class Clock:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    return clock


def test_pauses_grow_and_the_wait_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    left = [StoreUnreachable("the server is away")] * 9

    def do() -> str:
        if left:
            raise left.pop()
        return "done"

    assert with_retries(do) == "done"
    assert clock.pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0, 15.0])
    waiting, back = caplog.messages
    assert "the server is away\n  waiting for it, up to 10 minutes" in waiting
    assert back == "the store is back"


def test_after_its_patience_the_last_error_is_raised(clock: Clock) -> None:
    def do() -> None:
        raise StoreUnreachable("away")

    with pytest.raises(StoreUnreachable, match="away"):
        with_retries(do, patience=2.0)
    assert clock.now <= 2.0


def test_another_error_is_not_tried_again(clock: Clock) -> None:
    def do() -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="full"):
        with_retries(do)
    assert clock.pauses == []
