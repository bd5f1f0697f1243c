"""The store: one database that moodline's tables share with Optuna's. Opened here, and created where it is not.

Several processes may open one store at once, the first time too. A process that was killed while it created
the store leaves one that the next opening completes. An Engine belongs to the process that opened it: open
the store again after a fork. Its errors are StoreErrors, see storage.database.sqlalchemy_engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from storage.database.locks import creation_lock
from storage.database.migrations import LATEST, migrate, schema_version
from storage.database.sqlalchemy_engine import new_engine
from storage.database.url import BUSY_SECONDS, masked, read_address, sqlite_path
from storage.errors import StoreError


def open_store(url: str, patience: float = BUSY_SECONDS) -> Engine:
    """The store at `url`, its tables of this version; created, its folders too, where it is not there yet.

    url: sqlite:///PATH or postgresql+psycopg://...; patience: seconds to wait for other processes' locks.
    Raises StoreError for a place that cannot be written, reached, read or understood, for a lock that
    outlasts `patience`, for a missing driver, and for a store that a newer moodline wrote.
    """
    with _engine(url, patience) as engine:
        if _has_no_file(url) or not _is_current(engine, url):
            with creation_lock(url, patience):
                _prepare(engine)
    return engine


def find_store(url: str, patience: float = BUSY_SECONDS) -> Engine | None:
    """The store at `url` as `open_store` gives it, or None where none was created yet; creates none itself.

    One that an older moodline wrote is brought up to date. Raises StoreError as `open_store` does.
    """
    if _has_no_file(url):
        return None
    with _engine(url, patience) as engine:
        if _is_current(engine, url):
            return engine
        with engine.connect() as connection:
            is_there = schema_version(connection) > 0
    engine.dispose()
    return open_store(url, patience) if is_there else None


def check_store(url: str) -> None:
    """Raises StoreError where `open_store` would for the address, its driver, its server or what is there already.

    Makes nothing and changes nothing; a file that is not there yet is none to complain of.
    """
    if not _has_no_file(url):
        with _engine(url, BUSY_SECONDS) as engine:
            _is_current(engine, url)
        engine.dispose()


@contextmanager
def _engine(url: str, patience: float) -> Iterator[Engine]:
    """A new engine, which is disposed of where the block raises."""
    engine = new_engine(url, patience)
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise


def _has_no_file(url: str) -> bool:
    path = sqlite_path(read_address(url))
    return path is not None and not path.exists()


def _is_current(engine: Engine, url: str) -> bool:
    with engine.connect() as connection:
        version = schema_version(connection)
    if version > LATEST:
        raise StoreError(
            f"store {masked(url)}: written by a newer moodline (schema {version}; this one knows {LATEST})",
            "install that version (`pip install --upgrade moodline`), or name another place in `store`",
        )
    return version == LATEST


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # readers and one writer at once; the file remembers it, so that Optuna's connections have it too
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    migrate(engine)
