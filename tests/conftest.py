"""What tests of several folders share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """So that figures repeat to the last bit."""
    from stages.world import school

    with school.one_thread():
        yield
