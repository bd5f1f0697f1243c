"""What all tables share: column types, the transaction that writes, and inserting without a race.

Defines no table itself; through it SQLite and PostgreSQL behave the same.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

T = TypeVar("T")

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


KINDS: Mapping[type, TypeEngine[Any]] = {int: Integer(), float: Float(), datetime: Utc(), dict: Json, list: Json}


def table_of(record: type, name: str, *keys: str, **kinds: TypeEngine[Any]) -> Table:
    """The table whose rows are a dataclass's fields. keys: its primary key; kinds: columns unlike their fields' types.

    A migration makes the table; what is declared here only reads and writes it.
    """
    columns = []
    for field, hint in ((field.name, get_type_hints(record)[field.name]) for field in fields(record)):
        plain = next((kind for kind in get_args(hint) if kind is not NoneType), hint) if _may_be_none(hint) else hint
        kind = kinds.get(field) or KINDS.get(getattr(plain, "__origin__", plain), String())
        columns.append(Column(field, kind, primary_key=field in keys, nullable=_may_be_none(hint)))
    return Table(name, METADATA, *columns)


def _may_be_none(hint: Any) -> bool:
    return NoneType in get_args(hint)


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


def records(engine: Engine, wanted: Executable, kind: type[T]) -> list[T]:
    """What a query of a table gives, each row as its dataclass."""
    with engine.connect() as connection:
        return [kind(**row._mapping) for row in connection.execute(wanted)]


def change(engine: Engine, statement: Executable) -> int:
    """Executes an insert, update or delete in a transaction of its own. Returns how many rows it changed."""
    with writing(engine) as connection:
        return connection.execute(statement).rowcount


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


def insert_or_replace(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str] = ()
) -> None:
    """Insert the rows, each in the place of one with the same keys: those of the primary key, or other unique ones."""
    if rows:
        statement, keys = _insert(connection, table), keys or table.primary_key.columns.keys()
        others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)
