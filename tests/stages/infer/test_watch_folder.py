"""A followed folder: what comes is classified once it is whole, and nothing else is done meanwhile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.infer.run_infer import run_infer
from stages.infer.watch_folder import follow
from stages.results.infer_result import InferResult
from stages.runtime.run_context import Run
from tests.helpers.classifying_project import ByRule, CommentProject, make_comment_project, rows
from tests.helpers.tiny_encoders import easy_texts

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(40, 1)[0])]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommentProject:
    return make_comment_project(tmp_path, monkeypatch=monkeypatch)


def followed(run: Run, *happens: Callable[[], Any]) -> tuple[list[InferResult], ByRule]:
    """The result of each inference while, look by look, this happened; Ctrl-C comes last."""
    results: list[InferResult] = []
    classifier, events = ByRule(), list(happens)

    def infer(run: Run) -> InferResult:
        results.append(run_infer(run, classifier))
        return results[-1]

    def sleep(seconds: float) -> None:
        assert seconds == 60 * run.plan.infer.follow_every
        if not events:
            raise KeyboardInterrupt
        events.pop(0)()

    with pytest.raises(KeyboardInterrupt):
        follow(run, infer, sleep)
    return results, classifier


def nothing() -> None:
    pass


def test_files_that_come_are_classified_alone(project: CommentProject) -> None:
    project.write("a.parquet", TEXTS[:12])
    run = project.open("infer.follow_every=5s")
    results, classifier = followed(
        run, nothing, lambda: project.write("b.parquet", TEXTS[8:20], first=12), nothing, nothing, nothing
    )
    assert [result.rows for result in results] == [12, 24]
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[:20])
    assert len(rows(run, results[-1])) == 24


def test_a_file_that_still_grows_is_waited_for(project: CommentProject) -> None:
    run = project.open()
    head = b"id,text,time,video\n"
    results, _ = followed(
        run,
        lambda: project.raw("a.csv", head + b"1,good,2024-03-01,v\n2,ba"),  # seen, and so looked at once more
        lambda: project.raw("a.csv", head + b"1,good,2024-03-01,v\n2,bad day,2024-03-01,v\n"),
        nothing,
        nothing,
    )
    assert [result.rows for result in results] == [2]


def test_a_folder_may_be_empty_at_first(project: CommentProject) -> None:
    results, _ = followed(project.open(), nothing, nothing)
    assert results == []
