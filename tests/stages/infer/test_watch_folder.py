"""A followed folder: what comes is classified once it is whole, and nothing else is done meanwhile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.infer.run_infer import run_infer
from stages.infer.watch_folder import follow
from stages.runtime.run_context import Run
from tests.helpers.classifying_project import ByRule, Heap, make_heap, rows
from tests.helpers.tiny_encoders import easy_texts

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(40, 1)[0])]


@pytest.fixture
def heap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heap:
    return make_heap(tmp_path, monkeypatch=monkeypatch)


def followed(run: Run, *happens: Callable[[], Any]) -> tuple[list[dict[str, Any]], ByRule]:
    """What each inference said while, look by look, this happened; Ctrl-C comes last."""
    told, classifier, events = [], ByRule(), list(happens)

    def infer(run: Run) -> dict[str, Any]:
        told.append(run_infer(run, classifier))
        return told[-1]

    def sleep(seconds: float) -> None:
        assert seconds == 60 * run.plan.infer.follow_every
        if not events:
            raise KeyboardInterrupt
        events.pop(0)()

    with pytest.raises(KeyboardInterrupt):
        follow(run, infer, sleep)
    return told, classifier


def nothing() -> None:
    pass


def test_files_that_come_are_classified_alone(heap: Heap) -> None:
    heap.write("a.parquet", TEXTS[:12])
    run = heap.open("infer.follow_every=5s")
    told, classifier = followed(
        run, nothing, lambda: heap.write("b.parquet", TEXTS[8:20], first=12), nothing, nothing, nothing
    )
    assert [result["rows"] for result in told] == [12, 24]
    assert sorted(text for shard in classifier.read for text in shard) == sorted(TEXTS[:20])
    assert len(rows(run, told[-1])) == 24


def test_a_file_that_still_grows_is_waited_for(heap: Heap) -> None:
    run = heap.open()
    head = b"id,text,time,video\n"
    told, _ = followed(
        run,
        lambda: heap.raw("a.csv", head + b"1,good,2024-03-01,v\n2,ba"),  # seen, and so looked at once more
        lambda: heap.raw("a.csv", head + b"1,good,2024-03-01,v\n2,bad day,2024-03-01,v\n"),
        nothing,
        nothing,
    )
    assert [result["rows"] for result in told] == [2]


def test_a_folder_may_be_empty_at_first(heap: Heap) -> None:
    told, _ = followed(heap.open(), nothing, nothing)
    assert told == []
