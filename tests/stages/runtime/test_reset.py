"""A stage that is reset is forgotten with all after it; what came before it stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stages.runtime.reset import reset_stage
from stages.runtime.run_context import SAMPLES, Run, store_url
from storage.records import measured_choices, model_registry, stage_records
from storage.records.model_registry import ModelRecord
from studies.optuna_storage import open_optuna
from transfer.errors import UserError

optuna = pytest.importorskip("optuna")
STAGES = ("search", "label", "further", "ensemble", "infer", "monitor")
RECORD = ModelRecord("", "small", "", "s", 0, "bert", "", 1, 0.5, {}, {}, {}, datetime(2024, 5, 1, tzinfo=UTC))


@pytest.fixture
def run(a_run: Callable[..., Run], tmp_path: Path) -> Run:
    """A run of which every stage left a record, and the searches a study and a model."""
    run = a_run()
    for stage in STAGES:
        stage_records.begin(run.engine, "small", stage, "print", {})
    (tmp_path / "weights").write_bytes(b"x")
    for stage in ("search", "further"):
        optuna.create_study(study_name=f"small · {stage} · bert", storage=open_optuna(store_url(run.plan)))
        path = f"models/{stage}/0"
        run.files.publish(tmp_path / "weights", path)
        model_registry.add(run.engine, replace(RECORD, name=f"{stage}/bert/trial-0", stage=stage, path=path))
    for name in (f"{SAMPLES}/label-1.parquet", f"{SAMPLES}/adapt-1.parquet"):
        run.files.publish(tmp_path / "weights", name)
    for name in ("engine a", "other"):
        measured_choices.record_choice(run.engine, "small", name, {"x": 1})
    return run


def _left(run: Run) -> tuple[list[str], list[str], list[str]]:
    """Stages, studies and kept models that are known."""
    studies = optuna.get_all_study_names(open_optuna(store_url(run.plan)))
    stages = [record.stage for record in stage_records.read_all(run.engine, "small")]
    models = [record.name for record in model_registry.models(run.engine, "small") if run.files.exists(record.path)]
    return stages, sorted(studies), models


def test_stage_two_is_forgotten_with_what_follows_it_alone(run: Run) -> None:
    reset_stage(run, "further")
    assert _left(run) == (["search", "label"], ["small · search · bert"], ["search/bert/trial-0"])
    assert run.files.exists(f"{SAMPLES}/label-1.parquet")
    assert measured_choices.choice(run.engine, "small", "engine a") is None
    assert measured_choices.choice(run.engine, "small", "other") is not None


def test_from_the_search_on_all_is_forgotten_but_what_encoders_were_adapted_to(run: Run) -> None:
    reset_stage(run, "search")
    assert _left(run) == ([], [], [])
    assert not run.files.exists("models/search/0")
    assert not run.files.exists(f"{SAMPLES}/label-1.parquet")
    assert run.files.exists(f"{SAMPLES}/adapt-1.parquet")


def test_a_command_of_one_stage_does_not_forget_what_it_cannot_do_again(run: Run) -> None:
    before = _left(run)
    with pytest.raises(UserError) as caught:
        reset_stage(run, "search", first="monitor")
    assert "moodline run plan.yaml --anew search" in str(caught.value)
    assert _left(run) == before
