"""The record of a kept trial: all that made it, so that it can be reproduced and identified."""

import hashlib
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.records.model_registry import ModelRecord
from studies.legacy_names import legacy_study_name
from studies.trials.trial_result import TrialResult
from studies.trials.trial_task import TrialTask
from transfer.device.device import device_name

if TYPE_CHECKING:
    from optuna import Trial


ANSWERS = "answers"  # the first part of their names in Files


def model_name(stage: str, candidate: str, trial: int) -> str:
    """The name under which a trial's weights are kept and loaded: "search/klue-bert-base/trial-7"."""
    return f"{stage}/{re.sub(r'[^0-9A-Za-z가-힣_.]+', '-', candidate).strip('-.')}/trial-{trial}"


def answers_name(study: str, trial: int) -> str:
    """The name in Files of a trial's probabilities on its evaluation sets, where its task keeps them."""
    return f"{ANSWERS}/{hashlib.sha256(legacy_study_name(study).encode()).hexdigest()[:16]}/trial-{trial:04d}"


def model_record(trial: "Trial", task: TrialTask, outcome: TrialResult) -> ModelRecord:
    """The record of a trial's weights; `bytes` is not known before they are published."""
    own = outcome.folder.parent
    metrics: dict[str, Any] = {
        "best_epoch": outcome.kept.number,
        "kept_value": outcome.kept.value,
        "spread": outcome.spread,
        "curve": [asdict(epoch) for epoch in outcome.curve],
    }
    made_by = {
        "seed": outcome.seeds[outcome.kept.seed],
        "seeds": list(outcome.seeds),
        "device": device_name(),
        "precision": outcome.precision,
        "token_budget": outcome.token_budget,
        "versions": _versions(),
    }
    return ModelRecord(
        name=model_name(task.stage, task.called or task.candidate, trial.number),
        plan=task.plan,
        stage=task.stage,
        study=trial.study.study_name,
        trial=trial.number,
        candidate=task.candidate,
        path=f"models/{own.parent.name}/{own.name}",
        bytes=0,
        value=outcome.value,
        metrics=outcome.scores.as_dict() | metrics,
        recipe=dict(outcome.settings),
        lineage={**task.lineage, **made_by},
        created_at=datetime.now(UTC),
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version
    from platform import python_version

    names = ("moodline", "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "optuna", "numpy")
    return {"python": python_version(), **{name: version(name) for name in names}}
