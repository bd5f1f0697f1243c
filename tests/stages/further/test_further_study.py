"""The study of stage two: what its trials start from, and what they are selected by."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from stages.datasets.run_data import RunData
from stages.further.further_inputs import further_inputs
from stages.further.further_study import study_of, task_of
from stages.further.run_further import run_further
from tests.helpers.searched_project import opened, predictions
from transfer.encoders.model import load_classifier

pytestmark = pytest.mark.usefixtures("one_thread")


def test_trials_are_selected_by_golds_tune_half_less_the_loss_on_original_data_beyond_the_tolerance(
    searched: Path,
) -> None:
    run = opened(searched, "further.tolerance=0.1")
    gold, inputs = RunData(run).gold, further_inputs(run)
    assert gold is not None
    task = task_of(run, inputs)
    truth = {name: exam.truth for name, exam in task.exams.items()}
    assert truth["target"].tolist() == gold.tune.labels.tolist()
    right = {name: np.eye(3, dtype=np.float32)[own] for name, own in truth.items()}
    first = np.zeros_like(truth["validation"])  # macro-F1 of one label for all
    kept = f1_score(truth["validation"], first, average="macro")
    floor = inputs.starts[0].metrics["macro_f1"] - 0.1
    assert kept < floor
    assert task.value(right) == 1
    assert task.value({**right, "validation": np.eye(3, dtype=np.float32)[first]}) == pytest.approx(1 - (floor - kept))
    wrong = {**right, "target": np.eye(3, dtype=np.float32)[(truth["target"] + 1) % 3]}
    assert task.value(wrong) == 0


def test_a_trial_starts_from_the_trial_that_its_parameter_names(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened(searched, "further.space.start={choices: [1, 2]}")
    inputs = further_inputs(run)
    assert [record.name for record in inputs.starts] == [
        "search/models-bert/trial-0",
        "search/models-bert/trial-1",
    ] or [record.trial for record in inputs.starts] == [1, 0]
    assert "further.space.start" in inputs.parts
    task = task_of(run, inputs)
    assert study_of(run, inputs, task).baseline["start"] == 1
    second = run.files.fetch(inputs.starts[1].path)
    assert task.start_of({"start": 2}) == str(second)
    assert task.start_of({"start": 1}) == task.start == str(run.files.fetch(inputs.starts[0].path))
    seen: list[str] = []

    def noting(name: object, *more: Any, **settings: Any) -> object:
        seen.append(str(name))
        return load_classifier(name, *more, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("studies.trials.objective.load_classifier", noting)
    run_further(run)
    by_start = {1: task.start, 2: str(second)}
    trials = predictions(run, "small · further · models/bert")
    assert seen[: len(trials)] == [by_start[int(dict(params)["start"])] for *_, params in trials]
