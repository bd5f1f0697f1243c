"""One contract, two databases: `store` and `url` make a test run on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from storage.database.engine import open_store


@pytest.fixture
def url(store_url: str) -> str:
    """The URL of a store that is not there yet, on either database."""
    return store_url


@pytest.fixture
def store(url: str) -> Iterator[Engine]:
    engine = open_store(url)
    yield engine
    engine.dispose()
