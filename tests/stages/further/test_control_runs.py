"""Controls take as many steps as stage two, on either source alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stages.further import ablation
from stages.further.control_arms import ARMS, BOTH, PSEUDO, UNADAPTED, Controls
from stages.results.study_results import StudySummary
from storage.records import model_registry
from tests.helpers.searched_project import opened, predictions

pytestmark = pytest.mark.usefixtures("one_thread")
CONTROLS = "small · further · models/bert · controls"


def test_only_models_trained_on_the_stand_ins_labels_are_called_a_simulation() -> None:
    run: Any = SimpleNamespace(plan=SimpleNamespace(labels=["a", "b"], seed=1, is_simulation=True))
    truth = np.arange(40) % 2
    counts = dict.fromkeys(("target", "complete", "pruned", "failed", "running", "waiting"), 0)
    study = StudySummary(name="controls", best=None, **counts)
    said = {"validation": np.eye(2, dtype=np.float32)[truth]}
    found = Controls(study, {(arm, i): said for arm in ARMS for i in (1, 2, 3)})
    rows = [ablation._row(run, found, arm, "validation", truth) for arm in ARMS]
    assert {result.model for result in rows if result and result.note} == {PSEUDO, BOTH, UNADAPTED}


def test_the_controls_take_as_many_steps_and_their_weights_are_not_kept(further: Path) -> None:
    run = opened(further)
    trials = predictions(run, CONTROLS)
    assert [dict(params)["arm"] for _, _, _, params in trials] == ["original data only", "pseudo-labels only"]
    assert {record.study for record in model_registry.models(run.engine, "small", stage="further")} == {
        "small · further · models/bert"
    }
