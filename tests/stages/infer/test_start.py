"""Who classifies: this process, or one for each GPU, or as many as the plan says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stages.infer import run_infer
from stages.infer.run_infer import start_here
from tests.helpers.classifying_project import make_heap


@pytest.mark.parametrize(
    ("gpus", "asked", "expected"),
    [
        ([], [], None),
        (["0"], [], None),
        (["0", "1", "3"], [], ["0", "1", "3"]),
        (["0", "1"], ["infer.processes=1"], None),
        (["0", "1"], ["infer.processes=3"], ["0", "1", "0"]),
        ([], ["infer.processes=2"], [None, None]),
    ],
)
def test_each_gpu_has_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: list[str], asked: list[str], expected: list[Any] | None
) -> None:
    dealt: list[Sequence[str | None]] = []
    monkeypatch.setattr(run_infer, "all_gpus", lambda: gpus)
    monkeypatch.setattr(run_infer, "Processes", lambda team, devices: dealt.append(devices))
    monkeypatch.setattr(run_infer, "opened", lambda team: None)
    start_here(make_heap(tmp_path, ()).open(*asked), None)  # type: ignore[arg-type]
    assert dealt == ([] if expected is None else [expected])
