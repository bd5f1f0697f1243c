"""The salt that makes authors anonymous belongs to one plan."""

from sqlalchemy import Engine

from storage.records.author_salt import author_salt


def test_a_plan_has_one_salt_that_no_other_plan_has(store: Engine) -> None:
    first = author_salt(store, "plan")
    assert len(first) == 32
    assert author_salt(store, "plan") == first
    assert author_salt(store, "another") != first
