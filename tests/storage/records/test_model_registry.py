"""What is recorded of models, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError

from storage.records import model_registry
from storage.records.model_registry import ModelRecord

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
