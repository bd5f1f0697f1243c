"""Shards that are dealt to several come back whole and in order, whoever is lost on the way."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.infer import ray_work_queue
from stages.infer.ray_work_queue import MOST_LOSSES, Lost, WorkQueue
from stages.infer.run_infer import run_infer
from tests.helpers.classifying_project import ByRule, Floats, make_heap, rows, rule
from tests.helpers.tiny_encoders import easy_texts
from transfer.errors import UserError

TEXTS = [f"{text} number {i}" for i, text in enumerate(easy_texts(60, 1)[0])]


@dataclass
class OneHand:
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
            raise Lost("the machine went away")
        time.sleep(0.01)  # long enough for the others to take their part
        return rule(texts)

    def end(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_work_queue, "LOOK_SECONDS", 0.05)


def dealt(dealers: WorkQueue, shards: Sequence[Sequence[str]]) -> list[Floats]:
    finishes = [dealers.begin(shard) for shard in shards]
    try:
        return [finish(lambda read: None) for finish in finishes]
    finally:
        dealers.close()


SHARDS = [TEXTS[i : i + 6] for i in range(0, 60, 6)]


def test_a_shard_of_a_lost_hand_is_done_by_another_and_each_comes_in_its_place() -> None:
    said: list[str] = []
    first, second = OneHand("a", lost_at=2), OneHand("b")
    found = dealt(WorkQueue([first, second], 1, said.append), SHARDS)
    for shard, probabilities in zip(SHARDS, found, strict=True):
        np.testing.assert_array_equal(probabilities, rule(shard))
    assert len(first.read) == 2
    assert first.read[1] in second.read
    assert said == ["infer: a is lost, others do its work: the machine went away"]
    assert first.ended
    assert second.ended


def test_what_each_hand_read_is_told() -> None:
    told: list[int] = []
    dealers = WorkQueue([OneHand("a")], 2, print)
    dealers.begin(SHARDS[0])(told.append)
    dealers.close()
    assert told == [12]  # six texts, by each of two models


def test_a_hand_that_comes_later_takes_over_where_all_were_lost() -> None:
    later = OneHand("later")
    coming: list[OneHand] = [later]

    def more() -> list[OneHand]:
        return [coming.pop()] if coming else []

    found = dealt(WorkQueue([OneHand("a", lost_at=1)], 1, lambda said: None, more), SHARDS)
    assert len(found) == len(later.read) == len(SHARDS)


def test_hands_that_come_later_all_have_work_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(6)

    class Waiting(OneHand):
        def classify(self, texts: Sequence[str]) -> Floats:
            together.wait(20)  # broken where fewer than six shards are in work at once
            return rule(texts)

    coming = [Waiting(f"later {i}") for i in range(5)]

    def more() -> list[Waiting]:
        came, coming[:] = list(coming), []
        return came

    heap = make_heap(tmp_path, monkeypatch=monkeypatch)
    heap.write("a.parquet", TEXTS)  # six shards
    told = run_infer(heap.open(), lambda run, team: WorkQueue([Waiting("first")], 1, print, more))
    assert told["rows"] == 60


def test_a_hand_that_cannot_be_opened_is_told_of_and_costs_nothing() -> None:
    said: list[str] = []
    found = dealt(WorkQueue([OneHand("a"), OneHand("b", broken="no model there")], 1, said.append), SHARDS)
    assert len(found) == len(SHARDS)
    assert said == ["infer: b is lost, others do its work: no model there"]


def test_where_nobody_is_left_the_inference_ends_with_a_message() -> None:
    with pytest.raises(UserError, match=r"nobody is left to classify, for 0\.2 s"):
        dealt(WorkQueue([OneHand("a", lost_at=1)], 1, lambda said: None, patience=0.2), SHARDS)


def test_comments_that_end_one_hand_after_another_are_named_as_the_cause() -> None:
    lost = [OneHand(str(i), lost_at=1) for i in range(MOST_LOSSES)]
    with pytest.raises(UserError, match="3 nodes were lost one after another over the same 6 comments"):
        dealt(WorkQueue(lost, 1, lambda said: None), SHARDS[:1])


def test_a_fault_of_the_model_reaches_whoever_waits() -> None:
    class Broken(OneHand):
        def classify(self, texts: Sequence[str]) -> Floats:
            raise ValueError("no such token")

    with pytest.raises(ValueError, match="no such token"):
        dealt(WorkQueue([Broken("a")], 1, print), SHARDS[:2])


def test_closing_ends_the_threads_in_the_midst_of_a_shard() -> None:
    begun, gone = threading.Event(), threading.Event()

    class Slow(OneHand):
        def classify(self, texts: Sequence[str]) -> Floats:
            begun.set()
            gone.wait(10)
            raise Lost("ended")

        def end(self) -> None:
            gone.set()

    said: list[str] = []
    dealers = WorkQueue([Slow("a")], 1, said.append)
    dealers.begin(TEXTS[:2])
    begun.wait(10)
    dealers.close()
    assert said == []
    assert not any(thread.is_alive() for thread in dealers._threads)


def test_shards_are_those_of_one_process_though_hands_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = [OneHand("a", lost_at=1), OneHand("b", lost_at=2), OneHand("c")]
    starts: dict[str, Any] = {"one": ByRule(), "several": lambda run, team: WorkQueue(several, 1, print)}
    outcomes = []
    for name, start in starts.items():
        heap = make_heap(tmp_path / name, monkeypatch=monkeypatch)
        heap.write("a.parquet", [*TEXTS[:20], *TEXTS[5:12], *TEXTS[20:23], *TEXTS[:8], *TEXTS[23:25]])
        run = heap.open()
        told = run_infer(run, start)
        outcomes.append((rows(run, told), told["rows"], told["unique"]))
    assert outcomes[0] == outcomes[1]
