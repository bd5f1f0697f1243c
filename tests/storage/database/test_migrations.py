"""A store of 0.1.0, which called the stages "basic" and "pseudo_label", opened today; on both databases."""

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from storage.database.columns import to_json
from storage.database.migrations import LATEST, MIGRATIONS, migrate, schema_version
from storage.database.open_store import open_store
from storage.database.url import engine_options
from storage.records import stage_records

OF_0_1_0 = 5  # steps of the schema
PLAN = "a · basic · plan"  # a plan's name may hold anything


def test_a_store_in_which_nothing_was_done_is_brought_up_to_date(url: str) -> None:
    open_store(url).dispose()
    engine = create_engine(url, json_serializer=to_json, **engine_options(url))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM moodline_schema WHERE version > :step"), {"step": OF_0_1_0})
    migrate(engine, MIGRATIONS)
    assert stage_records.read_all(engine, PLAN) == []
    engine.dispose()


def test_a_step_that_was_killed_midway_is_taken_again_from_its_beginning(store: Engine) -> None:
    def makes_a_table(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE moodline_later (id INTEGER PRIMARY KEY)")

    def is_killed(connection: Connection) -> None:
        makes_a_table(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(store, [*MIGRATIONS, is_killed])
    assert not inspect(store).has_table("moodline_later")
    migrate(store, [*MIGRATIONS, makes_a_table])
    assert inspect(store).has_table("moodline_later")
    with store.connect() as connection:
        assert schema_version(connection) == LATEST + 1
