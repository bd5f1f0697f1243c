"""What is recorded of stages, on both databases: how they run, end and are read from the test split."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from storage.errors import StoreError
from storage.records import stage_records


def test_a_stage_is_running_then_done_with_its_result(store: Engine) -> None:
    assert stage_records.read(store, "plan", "search") is None
    stage_records.begin(store, "plan", "search", "f1", {"data": "ab12", "seed": 13})
    begun = stage_records.read(store, "plan", "search")
    assert begun is not None
    assert (begun.state, begun.parts, begun.result) == ("running", {"data": "ab12", "seed": 13}, None)
    assert abs(datetime.now(UTC) - begun.started_at) < timedelta(minutes=1)
    stage_records.finish(store, "plan", "search", 12.5, {"winner": "klue/bert-base", "κ": None})
    assert stage_records.read(store, "plan", "search") == replace(
        begun, state="done", seconds=12.5, result={"winner": "klue/bert-base", "κ": None}
    )


def test_attempts_of_one_fingerprint_add_their_seconds(store: Engine) -> None:
    spent = []
    for fingerprint in ("f1", "f1", "f2"):
        stage_records.begin(store, "plan", "search", fingerprint, {})
        stage_records.interrupt(store, "plan", "search", 4.0, "Ctrl-C")
        record = stage_records.read(store, "plan", "search")
        assert record is not None
        assert (record.state, record.message) == ("interrupted", "Ctrl-C")
        spent.append(record.seconds)
    assert spent == [4.0, 8.0, 4.0]
    stage_records.begin(store, "plan", "search", "f2", {})
    stage_records.fail(store, "plan", "search", 2.0, "out of memory\x00")
    failed = stage_records.read(store, "plan", "search")
    assert failed is not None
    assert (failed.state, failed.seconds, failed.message) == ("failed", 6.0, "out of memory")


def test_a_stage_that_is_reset_has_no_old_result(store: Engine) -> None:
    stage_records.begin(store, "plan", "search", "f1", {})
    stage_records.finish(store, "plan", "search", 1.0, {"winner": "bert"})
    stage_records.begin(store, "plan", "search", "f1", {})
    record = stage_records.read(store, "plan", "search")
    assert record is not None
    assert (record.state, record.result) == ("running", None)


def test_stages_come_in_the_order_they_began_and_plans_keep_apart(store: Engine) -> None:
    for stage in ("label", "search"):
        stage_records.begin(store, "plan", stage, "f", {})
    stage_records.begin(store, "other", "search", "f", {})
    assert [record.stage for record in stage_records.read_all(store, "plan")] == ["label", "search"]
    stage_records.forget(store, "plan", "search")
    assert [record.stage for record in stage_records.read_all(store, "plan")] == ["label"]
    assert stage_records.read(store, "other", "search") is not None


def test_a_stage_that_never_began_cannot_end(store: Engine) -> None:
    with pytest.raises(StoreError, match="stage 'search' of plan 'plan': not begun"):
        stage_records.finish(store, "plan", "search", 1.0, {})


def test_figures_that_do_not_exist_are_null_on_both_databases(store: Engine) -> None:
    stage_records.begin(store, "plan", "search", "f", {})
    stage_records.finish(
        store, "plan", "search", 1.0, {"kappa": float("nan"), "all": [float("inf"), 1.5], "n": {"low": 2}}
    )
    record = stage_records.read(store, "plan", "search")
    assert record is not None
    assert record.result == {"kappa": None, "all": [None, 1.5], "n": {"low": 2}}


def test_every_reading_of_the_test_split_counts(store: Engine) -> None:
    for by in ("ensemble", "evaluate", "evaluate"):
        stage_records.count_test_reading(store, "plan", by, "f1")
    stage_records.count_test_reading(store, "other", "ensemble", "f1")
    readings = stage_records.test_readings(store, "plan")
    assert [(reading.read_by, reading.fingerprint) for reading in readings] == [
        ("ensemble", "f1"),
        ("evaluate", "f1"),
        ("evaluate", "f1"),
    ]
    assert readings[0].read_at.tzinfo is UTC
