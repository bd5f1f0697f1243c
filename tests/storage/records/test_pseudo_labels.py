"""Pseudo-labels: append-only, from many processes at once, and quick."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError

from storage.database.columns import writing
from storage.database.migrations import MIGRATIONS, migrate
from storage.database.open_store import open_store
from storage.records.pseudo_labels import LabelRow, add_labels, count_labels, labellers, labels_of, register_labeller

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def answer(n: int, labeller: str = "gemma", label: int | None = 1) -> LabelRow:
    return LabelRow(f"{n:016x}", labeller, [0.1, 0.7, 0.1, 0.1], label, f"기쁨 {n}", 12, NOON)


@pytest.fixture
def labelled(store: Engine) -> Engine:
    register_labeller(store, "gemma", {"model": "gemma", "prompt": "라벨"})
    return store


def test_answers_come_back_as_they_were_given(labelled: Engine) -> None:
    unknown = LabelRow("b", "gemma", None, None, "I cannot say\x00 \ud83d", 3, NOON)
    assert add_labels(labelled, "gemma", [answer(1), unknown]) == 2
    found = {row.key: row for row in labels_of(labelled, "gemma")}
    assert found[f"{1:016x}"] == answer(1)
    assert (found["b"].probabilities, found["b"].label, found["b"].raw) == (None, None, "I cannot say ?")


def test_what_an_answer_took_and_how_many_agreed_is_kept(labelled: Engine) -> None:
    row = replace(answer(1), agreement=0.75, seconds=0.2, written=2, cost=1.5e-4, currency="KRW")
    add_labels(labelled, "gemma", [row])
    assert list(labels_of(labelled, "gemma")) == [row]


def test_answers_of_a_store_that_knew_no_costs_stay(url: str) -> None:
    engine = create_engine(url)
    if url.startswith("sqlite"):
        Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    migrate(engine, MIGRATIONS[:3])
    with writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO moodline_labellers VALUES ('gemma', '{}', '2024-05-01 12:00:00')")
        connection.exec_driver_sql(
            "INSERT INTO moodline_labels VALUES ('gemma', 'a', '[0.1, 0.9]', 1, NULL, 12, '2024-05-01 12:00:00.000000')"
        )
    engine.dispose()
    store = open_store(url)
    assert list(labels_of(store, "gemma")) == [LabelRow("a", "gemma", [0.1, 0.9], 1, None, 12, NOON)]
    assert add_labels(store, "gemma", [answer(1)]) == 1
    store.dispose()


def test_the_first_answer_to_a_comment_stays(labelled: Engine) -> None:
    register_labeller(labelled, "other", {})
    assert add_labels(labelled, "gemma", [answer(1), answer(2), answer(1, label=3)]) == 2
    assert add_labels(labelled, "gemma", [answer(1, label=0), answer(3)]) == 1
    assert add_labels(labelled, "other", [answer(1, "other", label=0)]) == 1
    assert [row.label for row in labels_of(labelled, "gemma", [f"{1:016x}"])] == [1]
    assert count_labels(labelled, "gemma") == 3


def test_only_the_answers_asked_for_are_read(labelled: Engine) -> None:
    add_labels(labelled, "gemma", map(answer, range(10)))
    asked = [f"{n:016x}" for n in (3, 5, 5, 99)]
    assert sorted(row.key for row in labels_of(labelled, "gemma", asked)) == asked[:2]
    assert list(labels_of(labelled, "gemma", [])) == []


def test_a_labelling_that_breaks_off_keeps_what_it_had(labelled: Engine) -> None:
    def breaks_off() -> Iterator[LabelRow]:
        yield from map(answer, range(2_500))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_labels(labelled, "gemma", breaks_off())
    assert count_labels(labelled, "gemma") == 2_000


def test_a_labeller_keeps_its_first_description(labelled: Engine) -> None:
    register_labeller(labelled, "gemma", {"model": "another"})
    assert [(known.identity, known.description) for known in labellers(labelled)] == [
        ("gemma", {"model": "gemma", "prompt": "라벨"})
    ]


def test_a_labeller_must_be_known_and_its_own(labelled: Engine) -> None:
    with pytest.raises(IntegrityError):
        add_labels(labelled, "nobody", [answer(1, "nobody")])
    with pytest.raises(ValueError, match="a label by 'nobody' among those of 'gemma'"):
        add_labels(labelled, "gemma", [answer(1, "nobody")])


def test_thirty_thousand_are_added_and_read_in_a_few_statements(labelled: Engine, statements: list[str]) -> None:
    assert add_labels(labelled, "gemma", map(answer, range(30_000))) == 30_000
    assert sum(1 for _ in labels_of(labelled, "gemma")) == 30_000
    keys = [f"{n:016x}" for n in range(0, 30_000, 2)]
    assert len({row.key for row in labels_of(labelled, "gemma", keys)}) == 15_000
    assert len(statements) < 200


def add_in(order: int, url: str, start: Barrier) -> None:
    engine = open_store(url)
    for first in range(0, 6_000, 1_000):
        start.wait()
        keys = range(first, first + 1_000)[:: 1 if order % 2 else -1]
        add_labels(engine, "gemma", (answer(n, label=order) for n in keys))


def test_processes_that_add_the_same_comments_at_once_lose_none(
    url: str, labelled: Engine, processes: ForkServerContext
) -> None:
    start = processes.Barrier(4, timeout=240)
    running = [processes.Process(target=add_in, args=(n, url, start)) for n in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join(240)
    assert [process.exitcode for process in running] == [0] * 4
    assert sorted(row.key for row in labels_of(labelled, "gemma")) == [f"{n:016x}" for n in range(6_000)]
