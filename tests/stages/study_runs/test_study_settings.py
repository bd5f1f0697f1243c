"""Memory, time and checkpoints of a study's trials, from the plan."""

from pathlib import Path

import pytest

from stages.plan.plan_settings import SearchSettings
from stages.plan.schema import read_plan
from stages.study_runs.study_settings import resources
from studies.trials.trial_task import TrialTask
from transfer.errors import UserErrors

PLAN = """\
name: small
labels: [anger, joy]
original: {train: [{path: a.csv}]}
candidates: [models/bert]
search: {seeds: 3, trial_timeout: 0.5, token_budget: 512, gradient_checkpointing: true, space: {method: lora}}
"""


def test_resources_are_fields_of_a_task(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    settings = read_plan(tmp_path / "plan.yaml").search
    assert resources(settings) == {"token_budget": 512, "gradient_checkpointing": True, "time_limit": 30.0}
    assert settings.seeds == 3
    assert set(resources(settings)) < set(TrialTask.__dataclass_fields__)


def test_by_default_memory_is_the_devices_and_time_is_free() -> None:
    assert resources(SearchSettings()) == {
        "token_budget": None,
        "gradient_checkpointing": "auto",
        "time_limit": None,
    }


def test_what_cannot_be_is_reported_at_once(tmp_path: Path) -> None:
    wrong = PLAN.replace("seeds: 3", "seeds: 0").replace("0.5", "-1").replace("512", "0").replace("lora", "qlora")
    (tmp_path / "plan.yaml").write_text(wrong.replace("true", "maybe"), encoding="utf-8")
    with pytest.raises(UserErrors) as found:
        read_plan(tmp_path / "plan.yaml")
    assert len(found.value.problems) == 5
    assert "method has no value 'qlora'; there are full, lora" in str(found.value)
