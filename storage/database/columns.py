"""What all tables share: column types, the transaction that writes, and inserting without a race.

Defines no table itself; through it SQLite and PostgreSQL behave the same.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, Table, TypeDecorator

METADATA = MetaData()

Json: JSON[Any] = JSON(none_as_null=True)


class Utc(TypeDecorator[datetime]):
    """A time with its zone, kept as UTC to the microsecond. Raises ValueError for a time without a zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone: {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def to_json(value: object) -> str:
    """JSON that both databases take: a figure that does not exist (NaN, an infinity) becomes null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def storable(text: str) -> str:
    """The text without what PostgreSQL (NUL) or UTF-8 (lone surrogates, as \\ud83d in a server's JSON) refuses."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it is kept, or nothing after an error or a kill.

    On SQLite it takes the write lock at its beginning: a transaction that reads first and takes the lock
    later fails at once, without waiting, where another process wrote in between.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose primary key is not there yet; the others stay as they are. Returns how many were new.

    Processes that insert the same keys at once must give them in the same order, or PostgreSQL may find a deadlock.
    """
    if not rows:
        return 0
    keys = list(table.primary_key)
    # RETURNING counts in the same way on both databases, and lets SQLAlchemy send a thousand rows in one statement
    statement = _insert(connection, table).on_conflict_do_nothing(index_elements=keys).returning(keys[0])
    return len(connection.execute(statement, list(rows)).all())


def insert_or_replace(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or put it in the place of the one with the same primary key."""
    statement = _insert(connection, table)
    others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others), row)


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)
