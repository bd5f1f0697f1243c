"""Shards that several workers classify come back complete and in order, whichever worker is lost."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.infer import work_queue
from stages.infer.run_infer import run_infer
from stages.infer.work_queue import MOST_LOSSES, LostWorkerError, WorkQueue
from tests.helpers.classifying_project import ByRule, Floats, make_comment_project, rows, rule
from tests.helpers.tiny_encoders import easy_texts
from transfer.errors import UserError

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(60, 1)[0])]


@dataclass
class FakeWorker:
    """Answers by the rule; is lost in its n-th shard (from 1), or cannot be opened for a reason."""

    name: str
    lost_at: int | None = None
    broken: str = ""
    read: list[list[str]] = field(default_factory=list)
    ended: bool = False

    def open(self) -> None:
        if self.broken:
            raise UserError(self.broken)

    def classify(self, texts: Sequence[str]) -> Floats:
        self.read.append(list(texts))
        if len(self.read) == self.lost_at:
            raise LostWorkerError("the machine went away")
        time.sleep(0.01)  # long enough for the others to take their part
        return rule(texts)

    def end(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_queue, "POLL_SECONDS", 0.05)


def classified(queue: WorkQueue, shards: Sequence[Sequence[str]]) -> list[Floats]:
    finishes = [queue.begin(shard) for shard in shards]
    try:
        return [finish(lambda read: None) for finish in finishes]
    finally:
        queue.close()


SHARDS = [TEXTS[i : i + 6] for i in range(0, 60, 6)]


def test_a_shard_of_a_lost_worker_is_done_by_another_and_each_comes_in_its_place() -> None:
    messages: list[str] = []
    first, second = FakeWorker("a", lost_at=2), FakeWorker("b")
    found = classified(WorkQueue([first, second], 1, messages.append), SHARDS)
    for shard, probabilities in zip(SHARDS, found, strict=True):
        np.testing.assert_array_equal(probabilities, rule(shard))
    assert len(first.read) == 2
    assert first.read[1] in second.read
    assert messages == ["infer: a is lost, others do its work: the machine went away"]
    assert first.ended
    assert second.ended


def test_the_texts_that_each_model_read_are_counted() -> None:
    batches: list[int] = []
    queue = WorkQueue([FakeWorker("a")], 2, print)
    queue.begin(SHARDS[0])(batches.append)
    queue.close()
    assert batches == [12]  # six texts, by each of two models


def test_a_worker_that_joins_later_takes_over_where_all_were_lost() -> None:
    later = FakeWorker("later")
    coming: list[FakeWorker] = [later]

    def more() -> list[FakeWorker]:
        return [coming.pop()] if coming else []

    found = classified(WorkQueue([FakeWorker("a", lost_at=1)], 1, lambda text: None, more), SHARDS)
    assert len(found) == len(later.read) == len(SHARDS)


def test_workers_that_join_later_all_have_work_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(6)

    class Waiting(FakeWorker):
        def classify(self, texts: Sequence[str]) -> Floats:
            together.wait(20)  # broken where fewer than six shards are in work at once
            return rule(texts)

    coming = [Waiting(f"later {i}") for i in range(5)]

    def more() -> list[Waiting]:
        came, coming[:] = list(coming), []
        return came

    project = make_comment_project(tmp_path, monkeypatch=monkeypatch)
    project.write("a.parquet", TEXTS)  # six shards
    result = run_infer(project.open(), lambda run, choice: WorkQueue([Waiting("first")], 1, print, more))
    assert result.rows == 60


def test_a_worker_that_cannot_be_opened_is_reported_and_costs_nothing() -> None:
    messages: list[str] = []
    found = classified(
        WorkQueue([FakeWorker("a"), FakeWorker("b", broken="no model there")], 1, messages.append), SHARDS
    )
    assert len(found) == len(SHARDS)
    assert messages == ["infer: b is lost, others do its work: no model there"]


def test_where_no_worker_is_left_the_inference_ends_with_a_message() -> None:
    with pytest.raises(UserError, match=r"no worker has been left for 0\.2 s"):
        classified(WorkQueue([FakeWorker("a", lost_at=1)], 1, lambda text: None, patience=0.2), SHARDS)


def test_comments_that_end_one_worker_after_another_are_named_as_the_cause() -> None:
    lost = [FakeWorker(str(i), lost_at=1) for i in range(MOST_LOSSES)]
    with pytest.raises(UserError, match="3 nodes were lost one after another over the same 6 comments"):
        classified(WorkQueue(lost, 1, lambda text: None), SHARDS[:1])


def test_an_error_of_the_model_is_raised_where_the_shard_is_waited_for() -> None:
    class Broken(FakeWorker):
        def classify(self, texts: Sequence[str]) -> Floats:
            raise ValueError("no such token")

    with pytest.raises(ValueError, match="no such token"):
        classified(WorkQueue([Broken("a")], 1, print), SHARDS[:2])


def test_closing_ends_the_threads_in_the_middle_of_a_shard() -> None:
    begun, gone = threading.Event(), threading.Event()

    class Slow(FakeWorker):
        def classify(self, texts: Sequence[str]) -> Floats:
            begun.set()
            gone.wait(10)
            raise LostWorkerError("ended")

        def end(self) -> None:
            gone.set()

    messages: list[str] = []
    queue = WorkQueue([Slow("a")], 1, messages.append)
    queue.begin(TEXTS[:2])
    begun.wait(10)
    queue.close()
    assert messages == []
    assert not any(thread.is_alive() for thread in queue._threads)


def test_shards_are_those_of_one_process_though_workers_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [FakeWorker("a", lost_at=1), FakeWorker("b", lost_at=2), FakeWorker("c")]
    starts: dict[str, Any] = {"one": ByRule(), "several": lambda run, choice: WorkQueue(several, 1, print)}
    outcomes = []
    for name, start in starts.items():
        project = make_comment_project(tmp_path / name, monkeypatch=monkeypatch)
        project.write("a.parquet", [*TEXTS[:20], *TEXTS[5:12], *TEXTS[20:23], *TEXTS[:8], *TEXTS[23:25]])
        run = project.open()
        result = run_infer(run, start)
        outcomes.append((rows(run, result), result.rows, result.unique))
    assert outcomes[0] == outcomes[1]
