"""Locks between all processes that use one store. Each ends with the process that holds it, however that ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, NullPool, text

from storage.database.sqlalchemy_engine import new_engine, store_error
from storage.database.url import BUSY_SECONDS, masked, read_address, sqlite_path
from storage.errors import StoreError

# "moodline" in ASCII; advisory locks are numbers that all users of a database share
ADVISORY_KEY = int.from_bytes(b"moodline")


@contextmanager
def creation_lock(url: str, patience: float = BUSY_SECONDS) -> Iterator[None]:
    """Keep other processes from creating tables in this store meanwhile; Optuna's schema is made under it too.

    SQLite: a lock file beside the store (its folder is made). PostgreSQL: an advisory lock of one
    transaction. Not reentrant: call `open_store` before, never inside. Raises StoreError where the lock is not free
    within `patience` seconds.
    """
    path = sqlite_path(read_address(url))
    if path is not None:
        with _file_lock(path, url, patience, ".lock", "another process has been creating it"):
            yield
        return
    with _advisory_lock(new_engine(url, patience, poolclass=NullPool), ADVISORY_KEY, patience):
        yield


@contextmanager
def named_lock(engine: Engine, name: str, patience: float = BUSY_SECONDS) -> Iterator[None]:
    """Only one process of all that use the store is inside this block at a time, for each `name`.

    For steps that read, decide and write; keep them short. Not reentrant. Raises StoreUnreachable where it is not
    free within `patience` seconds.
    """
    url = engine.url.render_as_string(hide_password=False)
    path = sqlite_path(engine.url)
    if path is not None:
        with _file_lock(path, url, patience, ".turn.lock", "another process has held its lock"):
            yield
        return
    key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
    with _advisory_lock(engine, key, patience):
        yield


@contextmanager
def _file_lock(path: Path, url: str, patience: float, suffix: str, who: str) -> Iterator[None]:
    lock = FileLock(path.with_name(path.name + suffix))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout:
        raise store_error(url, f"{who} for {patience:g} s; it is locked") from None
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
def _advisory_lock(engine: Engine, key: int, patience: float) -> Iterator[None]:
    # a transaction's lock rather than a session's: it holds through connection poolers, too
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = {max(1, round(patience * 1000))}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield
