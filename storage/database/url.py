"""Where a store is: its URL read, checked and shown without its password. Opens nothing."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import StoreError

# long enough for another process's largest transaction, short enough to be told of a lock that never ends
BUSY_SECONDS = 60.0
CONNECT_SECONDS = 10

EXAMPLES = "write sqlite:///PATH/moodline.db or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"


def masked(text: str) -> str:
    """The same text with *** for the password of every URL in it: after the user's name, or in the query."""
    text = re.sub(r"(://[^:/@\[\s]*):.*@", r"\1:***@", text)
    # no '@' after it, but no port either: a host was forgotten
    text = re.sub(r"(://[^:/@\[\s]*):(?!\d*(?:[/?\s]|$)|\*{3}@)[^/@?\s]+", r"\1:***", text)
    return re.sub(r"(?i)([?&][^=&\s]*(?:password|secret|token|key)[^=&\s]*=)[^&\s]+", r"\1***", text)


def read_address(url: str) -> URL:
    """The URL in its parts. Raises StoreError unless it names an SQLite file or a PostgreSQL database."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # the parser's own message quotes parts of the URL, the password's too
        raise StoreError(f"store {masked(url)!r}: not a database URL", EXAMPLES) from None
    if "@" in (address.host or ""):
        raise StoreError(f"store {masked(url)!r}: more than one '@'", "inside a user name or password write '@' as %40")
    kind = address.get_backend_name()
    if kind in ("mysql", "mariadb"):
        raise StoreError(
            f"store {masked(url)!r}: MySQL and MariaDB keep half of a change of tables that was broken off",
            "for several machines name a PostgreSQL database; for one machine leave `store` out",
        )
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"store {masked(url)!r}: {kind!r} is neither SQLite nor PostgreSQL", EXAMPLES)
    if kind == "sqlite" and (address.database or ":memory:").startswith((":memory:", "file:")):
        raise StoreError(f"store {masked(url)!r}: not the path of a file that outlives the run", EXAMPLES)
    return address


def sqlite_path(address: URL) -> Path | None:
    """The store's file, relative to the working folder where the URL says so; None for a server."""
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def engine_options(url: str, patience: float = BUSY_SECONDS) -> dict[str, Any]:
    """Keyword arguments of `create_engine` for this store; made for Optuna's `RDBStorage(engine_kwargs=...)` too.

    SQLite: wait `patience` seconds for another process's lock. Servers: test a pooled connection before its
    use, and give an unreachable server up after 10 s (a `connect_timeout` in the URL wins).
    """
    address = read_address(url)
    if address.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": patience}}
    options: dict[str, Any] = {"pool_pre_ping": True}
    if address.get_driver_name() in ("psycopg", "psycopg2") and "connect_timeout" not in address.query:
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    return options
