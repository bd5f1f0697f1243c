"""What classifies: this process, or one for each GPU, or as many as the plan says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stages.infer import executors
from stages.infer.executors import local_executor
from tests.helpers.classifying_project import make_comment_project


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
    used: list[Sequence[str | None]] = []
    monkeypatch.setattr(executors, "all_gpus", lambda: gpus)
    monkeypatch.setattr(executors, "WorkerProcesses", lambda choice, devices: used.append(devices))
    monkeypatch.setattr(executors, "open_in_process", lambda choice: None)
    local_executor(make_comment_project(tmp_path, ()).open(*asked), None)  # type: ignore[arg-type]
    assert used == ([] if expected is None else [expected])
