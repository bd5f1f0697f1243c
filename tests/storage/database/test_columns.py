"""The tables that the modules describe, and a writer that waits for another."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import BigInteger, Engine, insert, inspect

from storage.database.columns import METADATA, writing
from storage.records import gold_halves


def test_the_migrated_tables_are_those_that_the_modules_use(store: Engine) -> None:
    found = inspect(store)
    for table in METADATA.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        for column in found.get_columns(table.name):
            assert isinstance(column["type"], BigInteger) == isinstance(table.c[column["name"]].type, BigInteger)
        # SQLite calls a key's columns nullable unless it is told otherwise
        wanted = {column.name: column.nullable for column in table.c}
        keys = set(table.primary_key.columns.keys())
        assert columns.keys() == wanted.keys()
        assert {name for name in columns if columns[name] != wanted[name]} <= keys
        assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == keys


def test_a_writer_waits_for_another_instead_of_failing(store: Engine) -> None:
    held = threading.Event()

    def hold() -> None:
        with writing(store) as connection:
            connection.execute(insert(gold_halves.GOLD).values(plan="plan", key="a", half="tune"))
            held.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as other:
        holding = other.submit(hold)
        held.wait()
        halves = gold_halves.add_halves(store, "plan", {"a": "report", "b": "report"})
        holding.result()
    assert halves == {"a": "tune", "b": "report"}
