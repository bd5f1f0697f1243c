"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

if "MOODLINE_TEST_GPU" not in os.environ:
    # What is tested to the last bit is promised for a processor; tests/integration/test_gpu.py is for a GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


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
