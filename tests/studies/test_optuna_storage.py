"""Studies on SQLite and PostgreSQL: many real workers, real kills, and databases that go away for a while."""

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine, make_url, text

from storage.database import retry
from storage.database.open_store import open_store
from storage.errors import StoreError, StoreUnreachable
from storage.process_identity import this_process
from storage.records.trial_slots import slots
from studies import optuna_storage
from studies.optuna_storage import open_optuna
from studies.trials import heartbeat
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import RunTrial, open_study, work
from tests.helpers.formula_search import a_search, dead_worker, formula, outcome

TRIALS = 30


@pytest.fixture
def url(store_url: str) -> str:
    """Either database, in place of this folder's SQLite."""
    return store_url


def work_on(url: str, seconds: float, start: Barrier | None = None) -> None:
    """One worker's process, from the creation of the store on; each trial takes some time."""

    def slow(trial: optuna.Trial, _: object) -> TrialEnd:
        time.sleep(seconds)
        return formula(trial)

    if start is not None:
        start.wait()
    search = a_search(trials=TRIALS)
    claims = TrialClaims(open_store(url), search.name, this_process())
    study = open_study(open_optuna(url), search)
    work(study, search, claims, slow, lambda: None)


def exact(url: str) -> None:
    trials = optuna.load_study(study_name="study", storage=open_optuna(url)).get_trials()
    assert len(trials) == TRIALS
    assert {trial.state for trial in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    # the sampler saw what the others ran: nothing was tried twice
    assert len({str(sorted(trial.params.items())) for trial in trials}) == TRIALS
    engine = open_store(url)
    found = slots(engine, "study")
    engine.dispose()
    assert sorted(slot.trial or 0 for slot in found) == list(range(TRIALS))
    assert {slot.state for slot in found} == {"done"}


def ended(running: Sequence[BaseProcess]) -> list[int | None]:
    for process in running:
        process.join(300)
    return [process.exitcode for process in running]


def test_workers_that_all_make_the_store_share_one_study_exactly(url: str, processes: ForkServerContext) -> None:
    start = processes.Barrier(8, timeout=240)
    running = [processes.Process(target=work_on, args=(url, 0.0, start)) for _ in range(8)]
    for process in running:
        process.start()
    assert ended(running) == [0] * 8
    exact(url)


def test_killed_workers_are_replaced_and_the_total_stays_exact(url: str, processes: ForkServerContext) -> None:
    open_study(open_optuna(url), a_search(trials=TRIALS))
    engine = open_store(url)
    for _ in range(4):
        victim = processes.Process(target=work_on, args=(url, 0.05))
        victim.start()
        _until(
            lambda pid=victim.pid: any(slot.trial is not None and slot.pid == pid for slot in slots(engine, "study"))
        )
        time.sleep(0.1)
        os.kill(victim.pid or 0, signal.SIGKILL)
        victim.join()
    engine.dispose()
    running = [processes.Process(target=work_on, args=(url, 0.01)) for _ in range(3)]
    for process in running:
        process.start()
    time.sleep(0.5)
    os.kill(running[0].pid or 0, signal.SIGKILL)
    assert ended(running[1:]) == [0, 0]
    running[0].join()
    exact(url)


HANGS_AFTER = 5.0  # many of the other worker's steps, on a busy machine, too


def hang_in(url: str, woken: Event) -> None:
    """A worker that stands still in its trial, while its thread goes on to tell that it lives."""
    heartbeat.INTERVAL_SECONDS = 0.1

    def hangs(trial: optuna.Trial, held: heartbeat.Heartbeat) -> TrialEnd:
        held.moved(0.1)
        woken.wait(120)
        held.moved(0.2)
        raise AssertionError("it never learnt that its trial is another's")

    _take_part(url, hangs)


def be_slow_in(url: str) -> None:
    """A worker whose trial takes longer than one that hangs is given, and which gets on all the time."""
    heartbeat.INTERVAL_SECONDS = 0.1

    def slow(trial: optuna.Trial, held: heartbeat.Heartbeat) -> TrialEnd:
        for step in range(80):
            time.sleep(0.1)
            held.moved(step / 80)
        return formula(trial)

    _take_part(url, slow)


def _take_part(url: str, run_trial: RunTrial) -> None:
    search = a_search(trials=2)
    claims = TrialClaims(open_store(url), search.name, this_process())
    study = open_study(open_optuna(url), search)

    def signed(trial: optuna.Trial, held: heartbeat.Heartbeat) -> TrialEnd:
        trial.set_user_attr(f"process {os.getpid()}", 1)
        return run_trial(trial, held)

    work(study, search, claims, signed, lambda: None)


@pytest.mark.slow
def test_a_worker_that_hangs_loses_its_trial_and_one_that_is_slow_keeps_it(
    url: str,
    processes: ForkServerContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studies.workers.dead_workers.HANG_SECONDS", HANGS_AFTER)
    study = open_study(open_optuna(url), a_search(trials=2))
    engine, woken = open_store(url), processes.Event()
    others = [processes.Process(target=hang_in, args=(url, woken)), processes.Process(target=be_slow_in, args=(url,))]
    for number, process in enumerate(others, 1):
        process.start()
        _until(lambda n=number: len(study.get_trials(states=(TrialState.RUNNING,))) == n)
    _take_part(url, lambda trial, _: formula(trial))
    woken.set()
    assert ended(others) == [0, 0]
    ran = [{name for name in trial.user_attrs if name.startswith("process")} for trial in study.get_trials()]
    assert ran == [{f"process {pid}" for pid in (others[0].pid, os.getpid())}, {f"process {others[1].pid}"}]
    assert [trial.state for trial in study.get_trials()] == [TrialState.COMPLETE] * 2
    assert {slot.state for slot in slots(engine, "study")} == {"done"}
    engine.dispose()


def _until(is_true: Any) -> None:
    ends = time.monotonic() + 240
    while not is_true():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_connections_that_the_server_ends_cost_no_trial(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 0.05)
    search, engine = a_search(trials=8), open_store(url)
    study = open_study(open_optuna(url), search)
    server = create_engine(make_url(url).difference_update_query(["options"]))
    ends = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :d AND pid <> pg_backend_pid()")

    def cut_off(trial: optuna.Trial, _: object) -> TrialEnd:
        with server.connect() as connection:
            assert len(connection.execute(ends, {"d": make_url(url).database}).all()) >= 2
        ended = formula(trial)
        with server.connect() as connection:
            connection.execute(ends, {"d": make_url(url).database})
        return ended

    work(study, search, TrialClaims(engine, search.name, this_process()), cut_off, lambda: None)
    assert [trial.state.is_finished() for trial in study.get_trials()] == [True] * 8
    server.dispose()
    engine.dispose()


class Door:
    """A way to the database that can be shut: then whoever used it is thrown out, and nobody comes in."""

    def __init__(self, host: str, port: int) -> None:
        self.behind, self.pairs = (host, port), list[tuple[socket.socket, socket.socket]]()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open()

    def open(self) -> None:
        if self.listener.fileno() < 0:
            self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._let_in, args=(self.listener,), daemon=True).start()

    def shut(self) -> None:
        for one in [self.listener, *(one for pair in self.pairs for one in pair)]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.pairs.clear()

    def _let_in(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                pair = listener.accept()[0], socket.create_connection(self.behind)
                self.pairs.append(pair)
                for one, other in (pair, pair[::-1]):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while some := one.recv(65536):
                other.sendall(some)
            other.shutdown(socket.SHUT_RDWR)


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_server_that_is_gone_for_a_while_is_waited_for_and_no_trial_is_lost(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retry, "QUIET_SECONDS", 0.3)
    address = make_url(url)
    door = Door(address.host or "127.0.0.1", address.port or 5432)
    through = address.set(host="127.0.0.1", port=door.port).render_as_string(hide_password=False)
    search, engine = a_search(trials=6), open_store(through)
    study = open_study(open_optuna(through), search)

    def shut_out(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        if trial.number == 2:
            door.shut()
            threading.Timer(1.5, door.open).start()
        return ended

    work(study, search, TrialClaims(engine, search.name, this_process()), shut_out, lambda: None)
    assert [trial.number for trial in study.get_trials() if trial.state.is_finished()] == [*range(6)]
    assert {slot.state for slot in slots(engine, search.name)} == {"done"}
    assert "the server runs" in caplog.text
    assert "the store is back" in caplog.text
    engine.dispose()
    door.shut()


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite store whose connections wait a moment only for a lock, and then ask again."""
    monkeypatch.setattr(optuna_storage, "engine_options", lambda _: {"connect_args": {"timeout": 0.05}})
    return f"sqlite:///{tmp_path / 'store.db'}"


def test_a_locked_store_is_waited_for_with_a_message(
    hasty: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry, "QUIET_SECONDS", 0.3)
    search = a_search(trials=4)
    engine, study = open_store(hasty, patience=0.05), open_study(open_optuna(hasty), search)
    holder = sqlite3.connect(hasty.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)

    def locked(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        if trial.number == 2:
            holder.execute("BEGIN IMMEDIATE")
            threading.Timer(2, holder.rollback).start()
        return ended

    work(study, search, TrialClaims(engine, search.name, this_process()), locked, lambda: None)
    assert [trial.number for trial in study.get_trials() if trial.state.is_finished()] == [0, 1, 2, 3]
    assert "database is locked" in caplog.text
    assert "the store is back" in caplog.text
    holder.close()


def test_a_store_locked_for_too_long_stops_the_search_and_no_trial_is_lost(
    hasty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = a_search(trials=5)
    engine, study = open_store(hasty, patience=0.05), open_study(open_optuna(hasty), search)
    whole = outcome(study_of(f"{hasty}.whole"))
    holder = sqlite3.connect(hasty.removeprefix("sqlite:///"), isolation_level=None)

    def locked(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        if trial.number == 3:
            holder.execute("BEGIN IMMEDIATE")
        return ended

    monkeypatch.setattr(retry, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(StoreUnreachable, match="another process holds it"):
        work(study, search, TrialClaims(engine, search.name, dead_worker()), locked, lambda: None)
    holder.rollback()
    holder.close()
    assert outcome(study)[:3] == whole[:3]
    work(study, search, TrialClaims(engine, search.name, this_process()), formula, lambda: None)  # run again
    assert outcome(study) == whole


def study_of(url: str) -> optuna.Study:
    search, engine = a_search(trials=5), open_store(url)
    study = open_study(open_optuna(url), search)
    work(study, search, TrialClaims(engine, search.name, this_process()), formula, lambda: None)
    return study


def test_a_full_disk_under_the_store_stops_the_search_and_no_trial_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    whole = outcome(study_of(f"{url}.whole"))
    search, engine = a_search(trials=5), open_store(url)
    study = open_study(open_optuna(url), search)
    limit = study._storage._backend.engine  # type: ignore[attr-defined]

    def full(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        if trial.number == 3:
            with limit.connect() as connection:  # SQLite's own limit: SQLITE_FULL, as from a full disk
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            for number in range(3000):
                trial.set_user_attr(f"filling {number}", "x" * 2000)
        return ended

    with pytest.raises(StoreError, match=r"is full\n  free some space"):
        work(study, search, TrialClaims(engine, search.name, dead_worker()), full, lambda: None)
    limit.dispose()
    assert outcome(study)[:3] == whole[:3]
    study = open_study(open_optuna(url), search)
    work(study, search, TrialClaims(engine, search.name, this_process()), formula, lambda: None)
    assert outcome(study) == whole
