"""Opening and creating the store, from many processes and in places where it cannot be."""

import os
import sqlite3
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, make_url, select

from storage.database.columns import writing
from storage.database.locks import creation_lock
from storage.database.migrations import LATEST, SCHEMA
from storage.database.open_store import open_store
from storage.database.url import engine_options
from storage.errors import StoreError
from storage.records import gold_halves, model_registry, pseudo_labels, shard_records, stage_records, trial_slots
from tests.helpers.store_problems import problem_of

MODULES = (trial_slots, gold_halves, pseudo_labels, stage_records, model_registry, shard_records)


def test_opening_again_finds_what_was_stored(url: str) -> None:
    first = open_store(url)
    gold_halves.add_halves(first, "plan", {"a": "tune"})
    first.dispose()
    again = open_store(url)
    assert gold_halves.known_halves(again, "plan") == {"a": "tune"}
    again.dispose()


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
    monkeypatch.setattr("storage.database.open_store.creation_lock", None)  # not taken
    open_store(url).dispose()
    assert len(statements) == 2
    assert "SELECT max(moodline_schema.version)" in statements[1]


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


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    problem = problem_of(f"sqlite:///{tmp_path / 'file' / 'moodline.db'}")
    assert "cannot be created" in problem
    assert str(tmp_path / "file") in problem


def open_as_nobody(url: str, words: Path) -> None:
    os.setuid(65534)
    try:
        open_store(url)
    except StoreError as problem:
        words.write_text(str(problem))


@pytest.mark.parametrize("is_there", [False, True])
def test_a_place_without_the_right_to_write_is_reported(
    is_there: bool, tmp_path: Path, processes: ForkServerContext
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    words = tmp_path / "words"
    words.touch()
    words.chmod(0o666)
    if is_there:
        # of an older moodline: it has to be written
        sqlite3.connect(tmp_path / "moodline.db").execute("CREATE TABLE of_optuna (id INTEGER)").close()
    process = processes.Process(target=open_as_nobody, args=(f"sqlite:///{tmp_path / 'moodline.db'}", words))
    process.start()
    process.join(240)
    assert "name another place in `store`" in words.read_text()


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "moodline.db").write_text("text,label\n" * 100)
    assert "not a database" in problem_of(f"sqlite:///{tmp_path / 'moodline.db'}")


def test_a_store_locked_for_too_long_is_reported(tmp_path: Path) -> None:
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
    ("url", "words"),
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
def test_a_url_that_leads_nowhere_is_reported_without_its_password(url: str, words: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    assert words in problem_of(url)


def test_a_database_that_is_not_there_is_reported(postgresql: object) -> None:
    address = make_url(str(postgresql)).set(database="moodline_absent")
    assert "createdb" in problem_of(address.render_as_string(hide_password=False))
