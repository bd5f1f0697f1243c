"""A space whose parameters depend on one another, and trials whose value is a formula of them."""

import optuna

from studies.space.dimensions import Choices, Fixed, Range, Space
from studies.space.suggest import suggest
from studies.trials.heartbeat import Heartbeat
from studies.trials.trial_result import TrialEnd
from studies.workers.worker_loop import RunTrial
from tests.helpers.formula_search import BASELINE

IDLE = Heartbeat(lambda moved, share: None)
CONDITIONAL: Space = {
    "learning_rate": Range(low=1e-5, high=1e-2, log=True),
    "layer_decay": Range(low=0.8, high=1.0, when={"class_weighting": ["none"]}),
    "dropout": Range(low=0.0, high=0.3, when={"class_weighting": ["none"], "frozen_layers": [0, 1]}),
    "class_weighting": Choices(choices=["none", "balanced"]),
    "frozen_layers": Range(low=0, high=3),
    "weight_decay": Fixed(value=0.02, when={"class_weighting": ["balanced"]}),
}
BASE = {**BASELINE, "layer_decay": 1.0, "dropout": 0.1, "frozen_layers": 0}


def formula_in(space: Space) -> RunTrial:
    """A trial whose value follows from its parameters."""

    def run(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        params = suggest(trial, space)
        value = -abs(params["learning_rate"] - 1e-3) - params.get("dropout", 0.2)
        trial.report(value, 1)
        return TrialEnd(value, is_pruned=trial.number % 5 == 4)

    return run


def stopped_in(last: int, space: Space) -> RunTrial:
    """As `formula_in`, but interrupted in one trial."""

    def run(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        if trial.number == last:
            raise KeyboardInterrupt
        return formula_in(space)(trial, heartbeat)

    return run


def a_study(trials: int) -> optuna.Study:
    """A study of random trials, in one process and without a store."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=5))
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, formula_in(CONDITIONAL)(trial, IDLE).value)
    return study
