"""The store: one database that moodline's tables share with Optuna's. Opened here, and created where it is not.

Several processes may open one store at once, the first time too. A process that was killed while it created
the store leaves one that the next opening completes. An Engine belongs to the process that opened it: open
the store anew after a fork. Every error that the user can mend reaches the caller as StoreError, from any
function that is given the Engine; none shows a password.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import NoSuchModuleError

from storage.database.columns import to_json
from storage.database.migrations import LATEST, migrate, schema_version
from storage.database.url import BUSY_SECONDS, engine_options, masked, read_address, sqlite_path
from storage.errors import StoreError, StoreUnreachable

__all__ = [
    "check_store",
    "creation_lock",
    "engine_options",
    "find_store",
    "masked",
    "open_store",
    "tell_problems",
    "turn",
]

# "moodline" in ASCII; advisory locks are numbers that all users of a database share
ADVISORY_KEY = int.from_bytes(b"moodline")

ADVICE = {
    "is locked": "another process holds it: wait for that one to end, or end it; `fuser FILE` finds it",
    "lock timeout": "another process is creating the store: wait for it to end, or end it",
    "readonly": "give yourself the right to write that file and its folder, or name another place in `store`",
    "unable to open": "see to it that its folder is there and may be written, or name another place in `store`",
    "is full": "free some space on that disk, then run again",
    "disk I/O": "the disk may be full, failing or away; see to it, then run again",
    "not a database": "that file is no SQLite database; name another place in `store`",
    "malformed": "the file is damaged: put a copy back, or move it away and begin anew",
    "does not exist": "create it on the server (`createdb NAME`, `createuser NAME`), or mend `store`",
    "authentication": "mend the user's name and password in `store`, or give the password in PGPASSWORD",
    "permission denied": "let the database's owner GRANT the right to create tables there",
}
# what may be over in a while, beside a server that is away
PASSING = ("is locked", "lock timeout", "deadlock detected")
UNREACHABLE = "see to it that the server runs and that this machine reaches it, or mend `store`"


def open_store(url: str, patience: float = BUSY_SECONDS) -> Engine:
    """The store at `url`, its tables of this version; created, its folders too, where it is not there yet.

    url: sqlite:///PATH or postgresql+psycopg://...; patience: seconds to wait for other processes' locks.
    Raises StoreError for a place that cannot be written, reached, read or understood, for a lock that
    outlasts `patience`, for a missing driver, and for a store that a newer moodline wrote.
    """
    path = sqlite_path(read_address(url))
    engine = _engine(url, patience)
    try:
        if (path is not None and not path.exists()) or not _is_current(engine, url):
            with creation_lock(url, patience):
                _prepare(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def find_store(url: str, patience: float = BUSY_SECONDS) -> Engine | None:
    """The store at `url` as `open_store` gives it, or None where none was created yet; creates none itself.

    One that an older moodline wrote is brought up to date. Raises StoreError as `open_store` does.
    """
    path = sqlite_path(read_address(url))
    if path is not None and not path.exists():
        return None
    engine = _engine(url, patience)
    try:
        if _is_current(engine, url):
            return engine
        with engine.connect() as connection:
            is_there = schema_version(connection) > 0
    except BaseException:
        engine.dispose()
        raise
    engine.dispose()
    return open_store(url, patience) if is_there else None


def check_store(url: str) -> None:
    """Raises StoreError where `open_store` would for the address, its driver, its server or what is there already.

    Makes nothing and changes nothing; a file that is not there yet is none to complain of.
    """
    path = sqlite_path(read_address(url))
    if path is not None and not path.exists():
        return
    engine = _engine(url, BUSY_SECONDS)
    try:
        _is_current(engine, url)
    finally:
        engine.dispose()


@contextmanager
def creation_lock(url: str, patience: float = BUSY_SECONDS) -> Iterator[None]:
    """Keep other processes from creating tables in this store meanwhile; Optuna's schema is made under it too.

    SQLite: a lock file beside the store (its folder is made). PostgreSQL: an advisory lock of one
    transaction. Both end with the process that holds them, however it ends. Not reentrant: `open_store`
    comes before, never inside. Raises StoreError where the lock is not free within `patience` seconds.
    """
    path = sqlite_path(read_address(url))
    with _file_lock(path, url, patience) if path is not None else _advisory_lock(url, patience):
        yield


@contextmanager
def turn(engine: Engine, what: str, patience: float = BUSY_SECONDS) -> Iterator[None]:
    """Only one process of all that use the store is inside this block at a time, for each `what`.

    For steps that read, think and write again; keep them short. The lock ends with the process that holds it. Not
    reentrant. Raises StoreUnreachable where it is not free within `patience` seconds.
    """
    url = engine.url.render_as_string(hide_password=False)
    path = sqlite_path(engine.url)
    if path is not None:
        with _file_lock(path, url, patience, ".turn.lock", "another process has kept its turn"):
            yield
        return
    with engine.begin() as connection:
        _lock_for_transaction(connection, patience, int.from_bytes(sha256(what.encode()).digest()[:8], signed=True))
        yield


@contextmanager
def _file_lock(
    path: Path, url: str, patience: float, suffix: str = ".lock", who: str = "another process has been creating it"
) -> Iterator[None]:
    lock = FileLock(path.with_name(path.name + suffix))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout:
        raise _problem(url, f"{who} for {patience:g} s; it is locked") from None
    except OSError as error:
        raise StoreError(
            f"store {masked(url)}: cannot be created in {path.parent} ({error.strerror or error})",
            "make that folder writable, or name another place in `store`",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(url: str, patience: float) -> Iterator[None]:
    engine = _engine(url, patience, poolclass=NullPool)
    # a transaction's lock rather than a session's: it holds through connection poolers, too
    with engine.begin() as connection:
        _lock_for_transaction(connection, patience, ADVISORY_KEY)
        yield


def _lock_for_transaction(connection: Connection, patience: float, key: int) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {max(1, round(patience * 1000))}"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _engine(url: str, patience: float, **more: Any) -> Engine:
    try:
        engine = create_engine(url, json_serializer=to_json, **engine_options(url, patience), **more)
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            f"store {masked(url)}: its database driver is not installed ({error})",
            "pip install 'moodline[postgresql]', and begin the URL with postgresql+psycopg://",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _keep_foreign_keys)
    tell_problems(engine, url)
    return engine


def tell_problems(engine: Engine, url: str) -> None:
    """From now on, what the user can mend leaves this engine as StoreError."""

    @event.listens_for(engine, "handle_error")
    def tell(context: ExceptionContext) -> BaseException | None:
        # the pool itself mends what a ping before use finds
        if context.is_pre_ping or not _is_mendable(context.original_exception):
            return None
        return _problem(url, str(context.original_exception))


def _keep_foreign_keys(connection: Any, _: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _is_mendable(error: BaseException) -> bool:
    """True for a lock, a full disk, a lost server, a missing right; False for our own mistakes in SQL."""
    if isinstance(error, sqlite3.Error):
        return type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError)
    # both PostgreSQL drivers name their classes alike and give SQLSTATE; 42501: insufficient privilege
    named = {kind.__name__ for kind in type(error).__mro__}
    return "OperationalError" in named or getattr(error, "sqlstate", None) == "42501"


def _problem(url: str, found: str) -> StoreError:
    password = read_address(url).password
    first = " ".join(found.split())
    if password:
        first = first.replace(str(password), "***")
    advice = [line for sign, line in ADVICE.items() if sign in first]
    kind: type[StoreError] = StoreUnreachable if any(sign in first for sign in PASSING) else StoreError
    if not advice and read_address(url).get_backend_name() != "sqlite":
        advice, kind = [UNREACHABLE], StoreUnreachable
    return kind(f"store {masked(url)}: {masked(first)}", *advice[:1])


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
