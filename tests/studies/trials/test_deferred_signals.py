"""An interrupt is held back until the work can be saved, and then let through."""

import os
import signal

import pytest

from studies.trials.deferred_signals import deferred_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_noted_and_raised_at_the_end(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    went_on = False
    with pytest.raises(KeyboardInterrupt), deferred_signals() as held:  # noqa: PT012
        os.kill(os.getpid(), number)
        assert held.came
        went_on = True
    assert went_on
    assert signal.getsignal(number) is before


def test_a_second_interrupt_ends_at_once() -> None:
    went_on = False
    with pytest.raises(KeyboardInterrupt), deferred_signals():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        went_on = True
    assert not went_on


def test_without_an_interrupt_nothing_happens() -> None:
    with deferred_signals() as held:
        pass
    assert not held.came
