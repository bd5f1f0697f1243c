"""SQLAlchemy's engine for a store: what the user can do something about reaches the caller as StoreError.

That holds for every function that is given the engine. No error shows a password.
"""

import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import NoSuchModuleError

from storage.database.columns import to_json
from storage.database.url import engine_options, masked, read_address
from storage.errors import StoreError, StoreUnreachable

ADVICE = {
    "is locked": "another process holds it: wait for that one to end, or end it; `fuser FILE` finds it",
    "lock timeout": "another process is creating the store: wait for it to end, or end it",
    "readonly": "give yourself the right to write that file and its folder, or name another place in `store`",
    "unable to open": "see to it that its folder is there and may be written, or name another place in `store`",
    "is full": "free some space on that disk, then run again",
    "disk I/O": "the disk may be full, failing or disconnected; see to it, then run again",
    "not a database": "that file is no SQLite database; name another place in `store`",
    "malformed": "the file is damaged: put a copy back, or move it to another place and begin again",
    "does not exist": "create it on the server (`createdb NAME`, `createuser NAME`), or correct `store`",
    "authentication": "correct the user's name and password in `store`, or give the password in PGPASSWORD",
    "permission denied": "let the database's owner GRANT the right to create tables there",
}
# what may be over in a while, as a server may be reached again
PASSING = ("is locked", "lock timeout", "deadlock detected")
UNREACHABLE = "see to it that the server runs and that this machine reaches it, or correct `store`"


def new_engine(url: str, patience: float, **more: Any) -> Engine:
    """An engine for the store at `url`; `more` as create_engine takes it. Raises StoreError for a missing driver.

    patience: seconds to wait for other processes' locks.
    """
    try:
        engine = create_engine(url, json_serializer=to_json, **engine_options(url, patience), **more)
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            f"store {masked(url)}: its database driver is not installed ({error})",
            "pip install 'moodline[postgresql]', and begin the URL with postgresql+psycopg://",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    raise_store_errors(engine, url)
    return engine


def raise_store_errors(engine: Engine, url: str) -> None:
    """From now on, errors that the user can do something about leave this engine as StoreError."""

    @event.listens_for(engine, "handle_error")
    def translate(context: ExceptionContext) -> BaseException | None:
        # the pool itself replaces what a ping before use finds
        if context.is_pre_ping or not _is_for_the_user(context.original_exception):
            return None
        return store_error(url, str(context.original_exception))


def _is_for_the_user(error: BaseException) -> bool:
    """True for a lock, a full disk, a lost server, a missing right; False for our own mistakes in SQL."""
    if isinstance(error, sqlite3.Error):
        return type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError)
    # both PostgreSQL drivers name their classes alike and give SQLSTATE; 42501: insufficient privilege
    named = {kind.__name__ for kind in type(error).__mro__}
    return "OperationalError" in named or getattr(error, "sqlstate", None) == "42501"


def store_error(url: str, found: str) -> StoreError:
    """The error for what was found in the store at `url`, with advice; StoreUnreachable where it may pass."""
    password = read_address(url).password
    first = " ".join(found.split())
    if password:
        first = first.replace(str(password), "***")
    advice = [line for sign, line in ADVICE.items() if sign in first]
    kind: type[StoreError] = StoreUnreachable if any(sign in first for sign in PASSING) else StoreError
    if not advice and read_address(url).get_backend_name() != "sqlite":
        advice, kind = [UNREACHABLE], StoreUnreachable
    return kind(f"store {masked(url)}: {masked(first)}", *advice[:1])
