"""The salt that makes authors anonymous belongs to one plan."""

from sqlalchemy import Engine

from storage.records.author_salt import author_salt


def test_the_salt_of_a_plan_is_drawn_once_and_is_no_other_plans(store: Engine) -> None:
    first = author_salt(store, "plan")
    assert len(first) == 32
    assert author_salt(store, "plan") == first
    assert author_salt(store, "another") != first
