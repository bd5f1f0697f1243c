"""Memory, time and checkpoints of a study's trials, from the plan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.plan.plan_settings import SearchSettings
from stages.plan.schema import read_plan
from stages.runtime.run_context import Run
from stages.study_runs.study_settings import encoder_of, resources
from studies.trials.trial_task import TrialTask
from tests.helpers.tiny_encoders import word_pieces
from transfer.encoders.tokenization import encode
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


def test_a_run_makes_tokens_of_the_same_texts_once(a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run, lengths = a_run(), list[int]()

    def counted(texts: Any, tokenizer: Any, max_length: int, cache: Path | None) -> Any:
        lengths.append(max_length)
        return encode(texts, tokenizer, max_length, cache)

    monkeypatch.setattr("stages.study_runs.study_settings.encode", counted)
    search = encoder_of(word_pieces(), {"max_length": 16}, run)
    further = encoder_of(word_pieces(), {"max_length": 16}, run)
    assert search(["so happy"]) is further(["so happy"])
    assert search(["so sad"]) is not search(["so happy"])
    assert encoder_of(word_pieces(), {"max_length": 8}, run)(["so happy"]) is not search(["so happy"])
    assert lengths == [16, 16, 8]
