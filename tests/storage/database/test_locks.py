"""A store is created by one process at a time."""

from concurrent.futures import ThreadPoolExecutor

from storage.database.locks import creation_lock
from tests.helpers.store_problems import problem_of


def test_a_store_that_another_process_creates_for_too_long_is_reported(url: str) -> None:
    with creation_lock(url), ThreadPoolExecutor(1) as other:
        assert "end it" in other.submit(problem_of, url, 0.2).result()
