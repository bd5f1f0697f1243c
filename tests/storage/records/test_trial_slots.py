"""Slots of a study's budget: exact under many workers, and taken over from dead ones."""

import os
import subprocess
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier

import psutil
import pytest
from sqlalchemy import Engine

from storage.database.open_store import open_store
from storage.process_identity import ProcessIdentity, this_process
from storage.records import trial_slots
from storage.records.trial_slots import (
    Slot,
    close_slot,
    forget_slots,
    free_slot,
    owner_runs,
    record_heartbeat,
    set_trial,
    slots,
    take_over,
    take_slot,
)

ANNA = ProcessIdentity("host-a", 11, 1_700_000_000.25, "anna")
BEN = ProcessIdentity("host-b", 12, 1_700_000_000.75, "ben")
NOW = 1_700_000_100.123456


def test_slots_are_taken_from_the_lowest_until_all_are(store: Engine) -> None:
    assert [take_slot(store, "s", 3, ANNA, NOW) for _ in range(4)] == [0, 1, 2, None]
    assert take_slot(store, "s", 4, BEN, NOW) == 3
    assert take_slot(store, "other", 1, BEN, NOW) == 0
    found = slots(store, "s")
    assert found[0] == Slot("s", 0, None, "anna", "host-a", 11, 1_700_000_000.25, NOW, NOW, 0.0, "open")
    assert [slot.slot for slot in found] == [0, 1, 2, 3]


def test_a_slot_freed_by_a_failed_trial_is_taken_again(store: Engine) -> None:
    for _ in range(2):
        take_slot(store, "s", 2, ANNA, NOW)
    assert free_slot(store, "s", 0, ANNA)
    assert take_slot(store, "s", 2, BEN, NOW) == 0


def test_a_closed_slot_is_closed_for_good(store: Engine) -> None:
    take_slot(store, "s", 1, ANNA, NOW)
    assert set_trial(store, "s", 0, ANNA, 7)
    assert close_slot(store, "s", 0, ANNA)
    [done] = slots(store, "s")
    assert (done.trial, done.state) == (7, "done")
    assert not free_slot(store, "s", 0, ANNA)
    assert not record_heartbeat(store, "s", 0, ANNA, NOW + 1)
    assert not take_over(store, done, BEN, NOW)
    assert take_slot(store, "s", 1, BEN, NOW) is None


def test_a_slot_taken_over_is_lost_to_its_old_owner(store: Engine) -> None:
    take_slot(store, "s", 1, ANNA, NOW)
    set_trial(store, "s", 0, ANNA, 7)
    [seen] = slots(store, "s")
    assert take_over(store, seen, BEN, NOW + 100)
    assert not take_over(store, seen, replace(BEN, name="carl"), NOW + 100)
    assert not record_heartbeat(store, "s", 0, ANNA, NOW + 101)
    assert not set_trial(store, "s", 0, ANNA, 8)
    assert not close_slot(store, "s", 0, ANNA)
    assert not free_slot(store, "s", 0, ANNA)
    [now] = slots(store, "s")
    assert now == replace(
        seen, worker="ben", host="host-b", pid=12, process_started=1_700_000_000.75, beat=NOW + 100, moved=NOW + 100
    )


def test_an_owner_that_beats_keeps_its_slot(store: Engine) -> None:
    take_slot(store, "s", 1, ANNA, NOW)
    [seen] = slots(store, "s")
    assert record_heartbeat(store, "s", 0, ANNA, NOW + 30)
    assert not take_over(store, seen, BEN, NOW + 61)
    assert slots(store, "s")[0].worker == "anna"


def test_a_study_that_is_reset_has_no_slots(store: Engine) -> None:
    take_slot(store, "s", 1, ANNA, NOW)
    take_slot(store, "other", 1, ANNA, NOW)
    forget_slots(store, "s")
    assert slots(store, "s") == []
    assert len(slots(store, "other")) == 1


def test_a_dead_process_is_seen_at_once_and_of_a_far_one_nothing_is_known(processes: ForkServerContext) -> None:
    me = this_process()
    mine = Slot("s", 0, None, me.name, me.host, me.pid, me.process_started, NOW, NOW, 0.0, "open")
    assert owner_runs(mine) is True
    assert owner_runs(replace(mine, process_started=mine.process_started - 3600)) is False
    ended = processes.Process(target=os.getpid)
    ended.start()
    ended.join()
    assert owner_runs(replace(mine, pid=ended.pid or 0)) is False
    unreaped = subprocess.Popen(["true"])
    os.waitid(os.P_PID, unreaped.pid, os.WEXITED | os.WNOWAIT)
    started = psutil.Process(unreaped.pid).create_time()
    assert owner_runs(replace(mine, pid=unreaped.pid, process_started=started)) is False
    unreaped.wait()
    assert owner_runs(replace(mine, host="another-host", pid=ended.pid or 0)) is None


def test_a_slot_that_another_took_meanwhile_is_left_to_it(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    take_slot(store, "s", 2, ANNA, NOW)
    as_read = iter([0, 1])
    monkeypatch.setattr(trial_slots, "_lowest_unused", lambda *_: next(as_read))
    assert take_slot(store, "s", 2, BEN, NOW) == 1
    assert [slot.worker for slot in slots(store, "s")] == ["anna", "ben"]


def work(url: str, start: Barrier) -> None:
    """Run trials until there are no slots left; the process's exit code is how many counted."""
    engine, me = open_store(url), this_process()
    start.wait()
    failures, done = 2, 0
    while (slot := take_slot(engine, "s", 40, me, NOW)) is not None:
        if not set_trial(engine, "s", slot, me, slot):
            raise SystemExit(100)
        if slot % 3 == 0 and failures:
            failures -= 1
            free_slot(engine, "s", slot, me)
        else:
            done += close_slot(engine, "s", slot, me)
    raise SystemExit(done)


def test_six_processes_run_exactly_the_total(url: str, store: Engine, processes: ForkServerContext) -> None:
    start = processes.Barrier(6, timeout=240)
    running = [processes.Process(target=work, args=(url, start)) for _ in range(6)]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert sum(process.exitcode or 0 for process in running) == 40
    assert max(process.exitcode or 0 for process in running) < 40
    found = slots(store, "s")
    assert [(slot.slot, slot.trial, slot.state) for slot in found] == [(n, n, "done") for n in range(40)]


def take_one_over(url: str, seen: Slot, start: Barrier) -> None:
    engine = open_store(url)
    start.wait()
    raise SystemExit(10 if take_over(engine, seen, this_process(), NOW + 100) else 0)


def test_of_four_that_take_a_slot_over_one_gets_it(url: str, store: Engine, processes: ForkServerContext) -> None:
    take_slot(store, "s", 1, ANNA, NOW)
    [seen] = slots(store, "s")
    start = processes.Barrier(4, timeout=240)
    running = [processes.Process(target=take_one_over, args=(url, seen, start)) for _ in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert sorted(process.exitcode or 0 for process in running) == [0, 0, 0, 10]
