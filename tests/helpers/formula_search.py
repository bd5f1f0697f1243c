"""Studies whose trials are a formula: how a search proceeds can be tested without a model."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import optuna

from storage.process_identity import ProcessIdentity, this_process
from studies.dashboard.study_updates import StudyUpdates
from studies.space.dimensions import Choices, Dimension, Range
from studies.space.suggest import suggest
from studies.study_config import StudyConfig
from studies.trials.trial_result import TrialEnd

RunIt = Callable[..., optuna.Study]

SPACE: dict[str, Dimension] = {
    "learning_rate": Range(low=1e-5, high=1e-2, log=True),
    "epochs": Range(low=1, high=5),
    "class_weighting": Choices(choices=["none", "balanced"]),
    "weight_decay": 0.01,
}
BASELINE = {"learning_rate": 3e-5, "epochs": 3, "class_weighting": "none", "weight_decay": 0.01}


def a_search(trials: int = 6, **more: object) -> StudyConfig:
    settings: dict[str, object] = {
        "name": "study",
        "direction": "maximize",
        "metric": "macro_f1",
        "space": SPACE,
        "baseline": BASELINE,
        "trials": trials,
        "seed": 7,
    }
    return StudyConfig(**(settings | more))  # type: ignore[arg-type]


def formula(trial: optuna.Trial, _: object = None) -> TrialEnd:
    params = suggest(trial, SPACE)
    value = -abs(params["learning_rate"] - 1e-3) - 0.1 * abs(params["epochs"] - 4)
    for epoch in range(1, 4):
        trial.report(value - 1 / epoch, epoch)
        if trial.should_prune():
            return TrialEnd(value, is_pruned=True)
    return TrialEnd(value, is_pruned=False)


def dead_worker() -> ProcessIdentity:
    """A worker whose process is gone: what it holds may be taken over."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return replace(this_process(f"gone {gone.pid}"), pid=gone.pid)


def outcome(study: optuna.Study) -> list[tuple[object, ...]]:
    """What two studies are compared by: number, state, value, parameters and reports of each trial."""
    return [
        (t.number, t.state, t.value, tuple(sorted(t.params.items())), tuple(sorted(t.intermediate_values.items())))
        for t in study.get_trials(deepcopy=False)
    ]


Finish = Callable[..., tuple[optuna.Study, StudyUpdates]]
