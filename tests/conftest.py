"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

if "MOODLINE_TEST_GPU" not in os.environ:
    # What is tested to the last bit is promised for a processor; tests/integration/test_gpu.py is for a GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

# The tests of the hub have a server of their own; the others, and what they start, ask for nothing or say so.
os.environ.pop("HF_HUB_OFFLINE", None)


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """So that figures repeat to the last bit."""
    from benchmarks.demo_models import training_loop

    with training_loop.one_thread():
        yield


@pytest.fixture(autouse=True)
def _no_plans_precision() -> Iterator[None]:
    """A plan that a test opened says nothing about the precision of the next one's."""
    from transfer.device.bf16_choice import decide_by

    yield
    decide_by(None)
