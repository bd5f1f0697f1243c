"""One contract, two databases: `store` and `url` make a test run on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from storage.database.open_store import open_store


@pytest.fixture
def url(store_url: str) -> str:
    """The URL of a store that is not there yet, on either database."""
    return store_url


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = open_store(url)
    yield engine
    engine.dispose()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL that is sent to any database from here on."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)
