"""Each of several workers gets its part of the cores, and a GPU that few others use."""

import os

import pytest

from stages.runtime.gpu_allocation import share_cores


def test_several_workers_share_the_cores_and_one_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")
    share_cores(1)
    assert "OMP_NUM_THREADS" not in os.environ
    share_cores(3)
    assert os.environ["OMP_NUM_THREADS"] == "2"
    share_cores(8)
    assert os.environ["OMP_NUM_THREADS"] == "2"  # what the user set stays
