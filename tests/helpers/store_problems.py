"""What opening a store that cannot be opened says."""

import pytest

from storage.database.open_store import open_store
from storage.errors import StoreError


def problem_of(url: str, patience: float = 60) -> str:
    with pytest.raises(StoreError) as raised:
        open_store(url, patience)
    assert "secret" not in str(raised.value)
    return str(raised.value)
