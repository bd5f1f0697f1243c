"""What is recorded of stages, models, shards and gold, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, StatementError

from storage.errors import StoreError
from storage.records import gold_halves, model_registry, shard_records, stage_records
from storage.records.author_salt import author_salt
from storage.records.model_registry import ModelRecord
from storage.records.shard_records import ShardRecord

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)

MODEL = ModelRecord(
    name="trial-3",
    plan="plan",
    stage="search",
    study="plan/search/bert",
    trial=3,
    candidate="bert",
    path="search/bert/3",
    bytes=3_000_000_000,
    value=0.1 + 0.2,
    metrics={"macro_f1": 0.30000000000000004, "confusion": [[1, 0], [0, 1]]},
    recipe={"learning_rate": 5e-5, "라벨": ["기쁨"]},
    lineage={},
    created_at=NOON,
)
SHARD = ShardRecord("plan", "final", "sha", 0, 100, "shards/0.parquet", 98, {"empty text": 2}, NOON)


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


def test_a_stage_that_begins_anew_has_no_old_result(store: Engine) -> None:
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


def test_a_model_comes_back_as_it_was_recorded(store: Engine) -> None:
    model_registry.add(store, MODEL)
    assert model_registry.get(store, "plan", "trial-3") == MODEL
    assert model_registry.get(store, "other", "trial-3") is None
    model_registry.add(store, replace(MODEL, value=0.5))
    assert [model.value for model in model_registry.models(store, "plan")] == [0.5]


def test_models_are_found_by_stage_and_study(store: Engine) -> None:
    model_registry.add(store, MODEL)
    model_registry.add(store, replace(MODEL, name="b", study="plan/search/roberta"))
    model_registry.add(store, replace(MODEL, name="e", stage="ensemble", study=None, trial=None, value=None))
    model_registry.add(store, replace(MODEL, plan="other"))
    assert [model.name for model in model_registry.models(store, "plan")] == ["b", "e", "trial-3"]
    assert [model.name for model in model_registry.models(store, "plan", stage="search")] == ["b", "trial-3"]
    assert [model.name for model in model_registry.models(store, "plan", study="plan/search/roberta")] == ["b"]
    model_registry.remove(store, "plan", "b")
    model_registry.remove(store, "plan", "b")
    assert model_registry.get(store, "plan", "b") is None


def test_times_of_any_zone_come_back_in_utc_and_none_without_a_zone_is_taken(store: Engine) -> None:
    seoul = timezone(timedelta(hours=9))
    model_registry.add(store, replace(MODEL, created_at=NOON.astimezone(seoul)))
    found = model_registry.get(store, "plan", "trial-3")
    assert found is not None
    assert found.created_at == NOON
    assert found.created_at.tzinfo is UTC
    with pytest.raises(StatementError, match="without a time zone"):
        model_registry.add(store, replace(MODEL, created_at=NOON.replace(tzinfo=None)))


def test_shards_recorded_twice_count_once_and_come_in_order(store: Engine) -> None:
    second = replace(SHARD, first_row=100, rows=20, path="shards/1.parquet", classified=20, skipped={})
    for shard in (second, SHARD, SHARD, replace(SHARD, model="other"), replace(SHARD, plan="another")):
        shard_records.record_shard(store, shard)
    assert shard_records.shards_of(store, "plan", "final") == [SHARD, second]
    shard_records.forget_shards(store, "plan")
    assert shard_records.shards_of(store, "plan", "final") == []
    assert shard_records.shards_of(store, "plan", "other") == []
    assert len(shard_records.shards_of(store, "another", "final")) == 1


def test_gold_never_changes_its_half(store: Engine) -> None:
    gold_halves.add_halves(store, "plan", {"a": "tune", "b": "report"})
    assert gold_halves.add_halves(store, "plan", {"a": "report", "c": "tune"}) == {
        "a": "tune",
        "b": "report",
        "c": "tune",
    }
    assert gold_halves.known_halves(store, "other") == {}
    with pytest.raises(IntegrityError):
        gold_halves.add_halves(store, "plan", {"d": "test"})


def test_ten_thousand_gold_texts_are_dealt_at_once(store: Engine) -> None:
    halves = {f"{n:016x}": "tune" if n % 2 else "report" for n in range(10_000)}
    assert gold_halves.add_halves(store, "plan", halves) == halves


def test_the_salt_of_a_plan_is_drawn_once_and_is_no_other_plans(store: Engine) -> None:
    first = author_salt(store, "plan")
    assert len(first) == 32
    assert author_salt(store, "plan") == first
    assert author_salt(store, "another") != first
