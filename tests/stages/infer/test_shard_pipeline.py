"""An inference that stops, at any point of a shard's way, costs that shard at most and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.infer import shard_pipeline
from stages.infer.run_infer import run_infer
from storage.records import shard_records
from tests.helpers.classifying_project import ByRule, make_comment_project, rows
from tests.helpers.tiny_encoders import easy_texts

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(60, 1)[0])]
COMMENTS = [*TEXTS[:20], *TEXTS[5:12], *TEXTS[20:23], *TEXTS[:8], *TEXTS[23:25]]  # four shards, later ones half known
POINTS = {
    "before the third shard is written": ("publish_shard", 3, False, 2),
    "when it is written and not recorded": ("publish_shard", 3, True, 2),
    "when it is recorded": ("store.record_shard", 3, True, 1),
    "when all are recorded": ("store.record_shard", 4, True, 0),
}


class StoppedError(BaseException):
    """Ends an inference as a kill does."""


def stopping(monkeypatch: pytest.MonkeyPatch, point: str, call: int, after: bool) -> None:
    """Has the pipeline end at the call of a function that it uses."""
    owner, name = (shard_records, point.removeprefix("store.")) if "." in point else (shard_pipeline, point)
    real: Callable[..., Any] = getattr(owner, name)
    count = 0

    def wrapped(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count == call and not after:
            raise StoppedError
        result = real(*args)
        if count == call:
            raise StoppedError
        return result

    monkeypatch.setattr(owner, name, wrapped)


@pytest.mark.parametrize("point", POINTS)
def test_a_stopped_inference_redoes_one_shard_at_most_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    name, call, after, left = POINTS[point]
    whole = make_comment_project(tmp_path / "whole", monkeypatch=monkeypatch)
    whole.write("a.parquet", COMMENTS)
    expected = run_infer(run := whole.open(), ByRule())
    expected_rows = rows(run, expected)
    project = make_comment_project(tmp_path / "stopped", monkeypatch=monkeypatch)
    project.write("a.parquet", COMMENTS)
    with monkeypatch.context() as patch:
        stopping(patch, name, call, after)
        with pytest.raises(StoppedError):
            run_infer(project.open(), ByRule())
    run, again = project.open(), ByRule()
    run.files.sweep()
    result = run_infer(run, again)
    assert len(again.read) == left
    assert rows(run, result) == expected_rows
    assert (result.rows, result.unique, result.skipped) == (expected.rows, expected.unique, expected.skipped)
    assert len(run.files.names("shards")) == 4
