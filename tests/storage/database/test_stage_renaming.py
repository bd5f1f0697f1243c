"""Stages have other names since 0.1.0: a store of 0.1.0 goes on under them."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text, update

from storage.database.columns import to_json, writing
from storage.database.engine import open_store
from storage.database.url import engine_options
from storage.records import measured_choices, model_registry, pseudo_labels, stage_records, trial_slots
from storage.records.model_registry import ModelRecord
from storage.records.pseudo_labels import LABELLERS
from storage.records.trial_slots import this_process

optuna = pytest.importorskip("optuna")

OF_0_1_0 = 5  # steps of the schema

PLAN = "a · basic · plan"  # a plan's name may hold anything

OLD, NEW = f"{PLAN} · basic · klue/bert", f"{PLAN} · search · klue/bert"

FURTHER = f"{PLAN} · further · klue/bert"

NOW = datetime(2024, 3, 1, tzinfo=UTC)

RESULTS: dict[str, dict[str, Any]] = {
    "basic": {
        "studies": [{"name": OLD, "candidate": "klue/bert"}],
        "winner": {"name": "basic/klue-bert/trial-3", "study": OLD, "candidate": "klue/bert"},
        "rows": [{"model": "stage one (trial 3)", "stage": "basic", "split": "validation"}],
    },
    "pseudo_label": {
        "labeller": {"kind": "teacher", "model": "teacher", "members": ["basic/klue-bert/trial-3"]},
        "shares": {"basic": 0.4, "pseudo_label": 0.6},  # what a user may call a label
        "kappa": None,
        "labelled": 7,
        "simulation": False,
    },
    "ensemble": {
        "members": ["further/klue-bert/trial-0", "basic/klue-bert/trial-3"],
        "values": {"basic/klue-bert/trial-3": 0.5},
        "rows": [{"model": "stage one: basic/klue-bert/trial-3", "stage": "basic", "split": "test", "note": "basic"}],
    },
    "monitor": {"overall": {"basic": 0.4}},
}


def fingerprint(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


PARTS: dict[str, dict[str, Any]] = {
    "basic": {"labels": ["basic", "joy"]},
    "pseudo_label": {"labeller": RESULTS["pseudo_label"]["labeller"]},
    "further": {"further.space.start": ["basic/klue-bert/trial-3 0.5"]},
    "ensemble": {
        "models": ["basic/klue-bert/trial-3 0.5 abc", "further/klue-bert/trial-0 0.6 def"],
        "winners": {"basic": "basic/klue-bert/trial-3", "further": "further/klue-bert/trial-0"},
    },
    "monitor": {
        "results": fingerprint(
            {
                "rows": RESULTS["ensemble"]["rows"],
                "labeller": {"labeller": {"model": "teacher", "kappa": None, "labelled": 7}},
            }
        )
    },
}


def model(name: str, stage: str, study: str, lineage: Mapping[str, Any]) -> ModelRecord:
    return ModelRecord(
        name, PLAN, stage, study, 3, "klue/bert", "models/x", 1, 0.5, {"labels": ["basic"]}, {}, dict(lineage), NOW
    )


@pytest.fixture
def old(url: str) -> Engine:
    """The store as 0.1.0 left it."""
    open_store(url).dispose()  # its folder
    engine = create_engine(url, json_serializer=to_json, **engine_options(url))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM moodline_schema WHERE version > :step"), {"step": OF_0_1_0})
    for stage, parts in PARTS.items():
        stage_records.begin(engine, PLAN, stage, fingerprint(parts), parts)
        if stage in RESULTS:
            stage_records.finish(engine, PLAN, stage, 1.0, RESULTS[stage] | {"fingerprint": fingerprint(parts)})
    started = {"further.space.start": ["basic/klue-bert/trial-3 0.5"]}
    model_registry.add(engine, model("basic/klue-bert/trial-3", "basic", OLD, {"parts": {}}))
    lineage = {"start": "basic/klue-bert/trial-3", "parts": started}
    model_registry.add(engine, model("further/klue-bert/trial-0", "further", FURTHER, lineage))
    stage_records.count_test_reading(engine, PLAN, "ensemble", "basic/klue-bert/trial-3,further/klue-bert/trial-0")
    measured_choices.record_choice(engine, PLAN, "engine basic/klue-bert/trial-3 abc auto auto", {"way": 1})
    pseudo_labels.register_labeller(engine, "me", RESULTS["pseudo_label"]["labeller"])
    trial_slots.take_slot(engine, OLD, 1, this_process(), 0.0)
    return engine


def studies_of(url: str) -> dict[str, dict[str, Any]]:
    storage = optuna.storages.RDBStorage(url, engine_kwargs=engine_options(url))
    found = {s.study_name: dict(s.user_attrs) for s in optuna.get_all_study_summaries(storage)}
    storage.engine.dispose()
    return found


def test_the_names_of_studies_are_mapped_and_no_others(url: str, old: Engine) -> None:
    storage = optuna.storages.RDBStorage(url, engine_kwargs=engine_options(url))
    for name, stage in ((OLD, "basic"), (f"{OLD} · all data", "basic"), (FURTHER, "further"), ("x · basic · y", "")):
        optuna.create_study(study_name=name, storage=storage).set_user_attr("stage", stage)
    storage.engine.dispose()
    migrated = open_store(url)
    assert studies_of(url) == {
        NEW: {"stage": "search"},
        f"{NEW} · all data": {"stage": "search"},
        FURTHER: {"stage": "further"},
        "x · basic · y": {"stage": ""},  # not of a plan of this store
    }
    assert [slot.study for slot in trial_slots.slots(migrated, NEW)] == [NEW]
    record = model_registry.get(migrated, PLAN, "search/klue-bert/trial-3")
    assert record is not None
    assert (record.stage, record.study) == ("search", NEW)
    result = stage_records.read(migrated, PLAN, "search")
    assert result is not None
    assert result.result is not None
    assert result.result["studies"] == [{"name": NEW, "candidate": "klue/bert"}]
    assert result.result["winner"] == {
        "name": "search/klue-bert/trial-3",
        "study": NEW,
        "candidate": "klue/bert",
    }
    migrated.dispose()


def test_names_in_results_are_mapped_and_a_users_labels_stay(url: str, old: Engine) -> None:
    migrated = open_store(url)  # without Optuna's tables, as a store has it whose run was killed early
    results = {record.stage: record.result or {} for record in stage_records.read_all(migrated, PLAN)}
    assert results.keys() == {"search", "label", "further", "ensemble", "monitor"}
    assert results["search"]["rows"] == [{"model": "stage one (trial 3)", "stage": "search", "split": "validation"}]
    assert results["label"]["labeller"]["members"] == ["search/klue-bert/trial-3"]
    assert results["label"]["shares"] == {"basic": 0.4, "pseudo_label": 0.6}
    assert results["ensemble"]["members"] == ["further/klue-bert/trial-0", "search/klue-bert/trial-3"]
    assert results["ensemble"]["values"] == {"search/klue-bert/trial-3": 0.5}
    [row] = results["ensemble"]["rows"]
    assert row == {"model": "stage one: search/klue-bert/trial-3", "stage": "search", "split": "test", "note": "basic"}
    assert results["monitor"]["overall"] == {"basic": 0.4}
    migrated.dispose()


def test_fingerprints_follow_their_parts_and_stage_twos_stays(url: str, old: Engine) -> None:
    migrated = open_store(url)
    records = {record.stage: record for record in stage_records.read_all(migrated, PLAN)}
    assert all(record.fingerprint == fingerprint(record.parts) for record in records.values())
    assert all(r.result["fingerprint"] == r.fingerprint for r in records.values() if r.result)
    assert records["search"].parts == PARTS["basic"]
    assert records["further"].parts == PARTS["further"]
    assert records["ensemble"].parts == {
        "models": ["further/klue-bert/trial-0 0.6 def", "search/klue-bert/trial-3 0.5 abc"],  # sorted, as it makes them
        "winners": {"search": "search/klue-bert/trial-3", "further": "further/klue-bert/trial-0"},
    }
    rows = (records["ensemble"].result or {})["rows"]
    facts = {"labeller": {"model": "teacher", "kappa": None, "labelled": 7}}
    assert records["monitor"].parts == {"results": fingerprint({"rows": rows, "labeller": facts})}
    migrated.dispose()


def test_a_fingerprint_that_is_not_its_parts_is_left_alone(url: str, old: Engine) -> None:
    with writing(old) as connection:
        connection.execute(update(stage_records.STAGES).values(fingerprint="of another version"))
    migrated = open_store(url)
    assert {r.fingerprint for r in stage_records.read_all(migrated, PLAN)} == {"of another version"}
    migrated.dispose()


def test_models_readings_choices_and_labellers_are_mapped(url: str, old: Engine) -> None:
    migrated = open_store(url)
    further = model_registry.get(migrated, PLAN, "further/klue-bert/trial-0")
    assert further is not None
    assert further.lineage["start"] == "search/klue-bert/trial-3"
    assert further.lineage["parts"] == PARTS["further"]
    [reading] = stage_records.test_readings(migrated, PLAN)
    assert reading.fingerprint == "search/klue-bert/trial-3,further/klue-bert/trial-0"
    kept = measured_choices.choice(migrated, PLAN, "engine search/klue-bert/trial-3 abc auto auto")
    assert kept == {"way": 1}
    with migrated.connect() as connection:
        [description] = connection.scalars(LABELLERS.select().with_only_columns(LABELLERS.c.description))
    assert description["members"] == ["search/klue-bert/trial-3"]
    migrated.dispose()
