"""Connections: how SQLite writes, and a server that drops one."""

from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database.columns import writing
from storage.database.open_store import open_store
from storage.records import gold_halves


def test_sqlite_keeps_a_write_ahead_log_and_waits_a_minute(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'moodline.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000
    engine.dispose()


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
