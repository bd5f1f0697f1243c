"""Opening and creating the store, from many processes and in places where it cannot be."""

import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Connection, Engine, insert, inspect, make_url, select, text

from storage.database.columns import METADATA, writing
from storage.database.engine import open_store
from storage.database.locks import creation_lock
from storage.database.migrations import LATEST, MIGRATIONS, SCHEMA, migrate, schema_version
from storage.database.url import engine_options
from storage.errors import StoreError
from storage.records import gold_halves, model_registry, pseudo_labels, shard_records, stage_records, trial_slots

MODULES = (trial_slots, gold_halves, pseudo_labels, stage_records, model_registry, shard_records)


def test_opening_again_finds_what_was_stored(url: str) -> None:
    first = open_store(url)
    gold_halves.add_halves(first, "plan", {"a": "tune"})
    first.dispose()
    again = open_store(url)
    assert gold_halves.known_halves(again, "plan") == {"a": "tune"}
    again.dispose()


def test_the_migrated_tables_are_those_that_the_modules_use(store: Engine) -> None:
    found = inspect(store)
    for table in METADATA.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        for column in found.get_columns(table.name):
            assert isinstance(column["type"], BigInteger) == isinstance(table.c[column["name"]].type, BigInteger)
        # SQLite calls a key's columns nullable unless it is told otherwise
        wanted = {column.name: column.nullable for column in table.c}
        keys = set(table.primary_key.columns.keys())
        assert columns.keys() == wanted.keys()
        assert {name for name in columns if columns[name] != wanted[name]} <= keys
        assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == keys


def open_together(url: str, start: Barrier) -> None:
    start.wait()
    engine = open_store(url)
    gold_halves.add_halves(engine, "plan", {str(os.getpid()): "tune"})


def test_eight_processes_open_one_fresh_store_at_once(url: str, processes: ForkServerContext) -> None:
    start = processes.Barrier(8, timeout=240)
    running = [processes.Process(target=open_together, args=(url, start)) for _ in range(8)]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert [process.exitcode for process in running] == [0] * 8
    engine = open_store(url)
    assert len(gold_halves.known_halves(engine, "plan")) == 8
    with engine.connect() as connection:
        assert list(connection.scalars(select(SCHEMA.c.version))) == list(range(1, LATEST + 1))
    engine.dispose()


def test_an_existing_sqlite_store_opens_by_one_look_at_its_version(
    tmp_path: Path, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'moodline.db'}"
    open_store(url).dispose()
    assert len(statements) > 10
    statements.clear()
    monkeypatch.setattr("storage.database.engine.creation_lock", None)  # not taken
    open_store(url).dispose()
    assert len(statements) == 2
    assert "SELECT max(moodline_schema.version)" in statements[1]


def test_sqlite_keeps_a_write_ahead_log_and_waits_a_minute(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'moodline.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000
    engine.dispose()


def test_a_step_that_was_killed_midway_is_taken_again_from_its_beginning(store: Engine) -> None:
    def makes_a_table(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE moodline_later (id INTEGER PRIMARY KEY)")

    def is_killed(connection: Connection) -> None:
        makes_a_table(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(store, [*MIGRATIONS, is_killed])
    assert not inspect(store).has_table("moodline_later")
    migrate(store, [*MIGRATIONS, makes_a_table])
    assert inspect(store).has_table("moodline_later")
    with store.connect() as connection:
        assert schema_version(connection) == LATEST + 1


def test_a_store_of_a_newer_moodline_is_refused(url: str, store: Engine) -> None:
    with writing(store) as connection:
        row = connection.execute(select(SCHEMA)).first()
        assert row is not None
        connection.execute(insert(SCHEMA).values(version=LATEST + 1, applied_at=row.applied_at))
    with pytest.raises(StoreError, match=f"newer moodline .schema {LATEST + 1}; this one knows {LATEST}"):
        open_store(url)


def test_optuna_keeps_its_tables_in_the_same_store(url: str, store: Engine) -> None:
    optuna = pytest.importorskip("optuna")
    with creation_lock(url):
        storage = optuna.storages.RDBStorage(url, engine_kwargs=engine_options(url))
    study = optuna.create_study(storage=storage, study_name="search")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert {"trials", "moodline_slots"} <= set(inspect(store).get_table_names())
    storage.engine.dispose()
    open_store(url).dispose()


def test_a_writer_waits_for_another_instead_of_failing(store: Engine) -> None:
    held = threading.Event()

    def hold() -> None:
        with writing(store) as connection:
            connection.execute(insert(gold_halves.GOLD).values(plan="plan", key="a", half="tune"))
            held.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as other:
        holding = other.submit(hold)
        held.wait()
        halves = gold_halves.add_halves(store, "plan", {"a": "report", "b": "report"})
        holding.result()
    assert halves == {"a": "tune", "b": "report"}


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_dropped_is_replaced(url: str) -> None:
    store, other = open_store(url), open_store(url)
    with store.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with writing(other) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert gold_halves.known_halves(store, "plan") == {}
    store.dispose()
    other.dispose()


def problem_of(url: str, patience: float = 60) -> str:
    with pytest.raises(StoreError) as raised:
        open_store(url, patience)
    assert "secret" not in str(raised.value)
    return str(raised.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    problem = problem_of(f"sqlite:///{tmp_path / 'file' / 'moodline.db'}")
    assert "cannot be created" in problem
    assert str(tmp_path / "file") in problem


def open_as_nobody(url: str, told: Path) -> None:
    os.setuid(65534)
    try:
        open_store(url)
    except StoreError as problem:
        told.write_text(str(problem))


@pytest.mark.parametrize("is_there", [False, True])
def test_a_place_without_the_right_to_write_is_told(
    is_there: bool, tmp_path: Path, processes: ForkServerContext
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    told = tmp_path / "told"
    told.touch()
    told.chmod(0o666)
    if is_there:
        # of an older moodline: it has to be written
        sqlite3.connect(tmp_path / "moodline.db").execute("CREATE TABLE of_optuna (id INTEGER)").close()
    process = processes.Process(target=open_as_nobody, args=(f"sqlite:///{tmp_path / 'moodline.db'}", told))
    process.start()
    process.join(240)
    assert "name another place in `store`" in told.read_text()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "moodline.db").write_text("text,label\n" * 100)
    assert "not a database" in problem_of(f"sqlite:///{tmp_path / 'moodline.db'}")


def test_a_store_that_another_process_creates_for_too_long_is_told(url: str) -> None:
    with creation_lock(url), ThreadPoolExecutor(1) as other:
        assert "end it" in other.submit(problem_of, url, 0.2).result()


def test_a_store_locked_for_too_long_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'moodline.db'}"
    open_store(url).dispose()
    hasty = open_store(url, patience=0.2)
    holder = sqlite3.connect(tmp_path / "moodline.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked\n  another process holds it"):
        gold_halves.add_halves(hasty, "plan", {"a": "tune"})
    holder.close()
    hasty.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg://anna:secret@127.0.0.1:1/moods", "the server runs"),
        ("postgresql+pg8000://anna:secret@db/moods", "moodline[postgresql]"),
        ("mysql://anna:secret@db/moods", "name a PostgreSQL database"),
        ("mariadb+pymysql://anna:secret@db/moods", "name a PostgreSQL database"),
        ("oracle://anna:secret@db/moods", "'oracle' is neither SQLite nor PostgreSQL"),
        ("runs/moodline.db", "not a database URL"),
        ("postgresql+psycopg://anna:secret@secret@db/moods", "more than one '@'"),
        ("postgresql://anna:sec/secret@db:x/moods", "not a database URL"),
        ("postgresql+psycopg://anna:secret", "not a database URL"),
        ("sqlite://", "outlives the run"),
        ("sqlite:///:memory:", "outlives the run"),
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(url: str, told: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    assert told in problem_of(url)


def test_a_database_that_is_not_there_is_told(postgresql: object) -> None:
    address = make_url(str(postgresql)).set(database="moodline_absent")
    assert "createdb" in problem_of(address.render_as_string(hide_password=False))
