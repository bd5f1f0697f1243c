"""What tests of several folders share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """So that figures repeat to the last bit."""
    from stages.world import school

    with school.one_thread():
        yield


@pytest.fixture(autouse=True)
def _no_plans_precision() -> Iterator[None]:
    """A plan that a test opened says nothing about the precision of the next one's."""
    from transfer.precision import decide_by

    yield
    decide_by(None)
