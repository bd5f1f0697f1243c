"""Pruners stop what Optuna's would, and say the same when they are asked again."""

import math
from typing import Any, Literal, get_args

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.records.trial_slots import forget_slots
from studies.sampling.algorithm_names import (
    WILCOXON_FEWEST_SEEDS,
    PrunerName,
)
from studies.sampling.pruners import pruner_for, should_prune
from studies.space.dimensions import Range
from studies.trials.trial_result import TrialEnd
from tests.helpers.formula_search import RunIt, a_search, dead_worker, outcome

EPOCHS = 9
Direction = Literal["maximize", "minimize"]
PRUNERS = get_args(PrunerName)


def optunas(name: str) -> optuna.pruners.BasePruner:
    if name == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1)
    return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=EPOCHS, reduction_factor=3)


def curves(direction: Direction, pruner: optuna.pruners.BasePruner, seed: int) -> list[tuple[TrialState, int | None]]:
    """How 60 random learning curves end, and after which epoch; some have fewer epochs, some report no number."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(study_name="s", direction=direction, pruner=pruner)
    for _ in range(60):
        trial = study.ask()
        level, epochs = rng.normal(), int(rng.integers(2, EPOCHS + 1))
        state = TrialState.COMPLETE
        for epoch in range(1, epochs + 1):
            value = math.nan if rng.random() < 0.02 else round(level - 1 / epoch + rng.normal() / 4, 1)  # with ties
            trial.report(value, epoch)
            if epoch < epochs and should_prune(trial, epoch):
                state = TrialState.PRUNED
                break
        value = next((v for v in reversed(study.trials[-1].intermediate_values.values()) if not math.isnan(v)), 0.0)
        study.tell(trial, value if state == TrialState.COMPLETE else None, state=state)
    return [(trial.state, trial.last_step) for trial in study.trials]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("name", ["successive_halving", "hyperband"])
def test_halving_stops_the_trials_that_optunas_stops(name: PrunerName, direction: Direction) -> None:
    for seed in range(5):
        ours = curves(direction, pruner_for(name, EPOCHS), seed)
        assert ours == curves(direction, optunas(name), seed)
        assert 20 < sum(state == TrialState.PRUNED for state, _ in ours) < 60


def through(trial: optuna.Trial, _: object) -> TrialEnd:
    return climbing(trial)


def climbing(trial: optuna.Trial, killed_at: tuple[int, int] | None = None) -> TrialEnd:
    """A trial of nine epochs whose level is its learning rate's; the pruner is asked as the objective asks it."""
    level = math.log10(trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True))
    reported = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for epoch in range(1, EPOCHS + 1):
        if epoch not in reported:
            trial.report(level - 1 / epoch, epoch)
        if killed_at == (trial.number, epoch):
            raise KeyboardInterrupt
        pruned = epoch < EPOCHS and should_prune(trial, epoch)
        if killed_at == (trial.number, -epoch):  # after the decision, before the checkpoint knows of it
            raise KeyboardInterrupt
        if pruned:
            return TrialEnd(level, is_pruned=True)
    return TrialEnd(level, is_pruned=False)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_a_trial_killed_around_its_pruning_is_pruned_alike(run_it: RunIt, engine: Engine, pruner: PrunerName) -> None:
    """It begins over, with its reports of before, and what it is compared with is what it was compared with."""
    more: dict[str, Any] = {
        "pruner": pruner,
        "sampler": "random",
        "trials": 14,
        "space": {"learning_rate": Range(low=1e-5, high=1e-2, log=True), "epochs": EPOCHS},
    }
    whole = run_it(a_search(**more), through)
    stopped = [(t.number, t.last_step) for t in whole.trials if t.state == TrialState.PRUNED]
    assert bool(stopped) == (pruner != "none")
    expected = outcome(whole)
    optuna.delete_study(study_name="study", storage=whole._storage)  # hyperband goes by the study's name
    forget_slots(engine, "study")
    kills = [(n, sign * step) for n, step in stopped[:4] for sign in (1, -1) if step] or [(3, 2), (5, -8)]
    for kill in kills:
        with pytest.raises(KeyboardInterrupt):
            run_it(a_search(**more), lambda trial, _, kill=kill: climbing(trial, kill), dead_worker())
    assert outcome(run_it(a_search(**more), through)) == expected


def test_a_trial_that_begins_over_is_not_pruned_by_what_it_reported_later() -> None:
    study = optuna.create_study(direction="maximize", pruner=pruner_for("median", 5))
    for _ in range(6):
        trial = study.ask()
        for epoch in range(1, 5):
            trial.report(epoch / 10, epoch)
        study.tell(trial, 0.4)
    late = study.ask()
    for epoch, value in ((1, 0.2), (2, 0.1), (3, 0.05)):
        late.report(value, epoch)
    assert late.should_prune()  # by its third epoch
    assert not should_prune(late, 1)
    assert should_prune(late, 3)


def test_wilcoxon_stops_what_is_worse_seed_by_seed_and_needs_as_many_as_it_says() -> None:
    study = optuna.create_study(direction="maximize", pruner=pruner_for("wilcoxon", 9))
    seeds = range(1, 10)
    best = study.ask()
    for seed in seeds:
        best.report(0.8 + seed / 100, seed)
    study.tell(best, 0.85)
    worse = study.ask()
    for seed in seeds:
        worse.report(0.7 + seed / 90, seed)
        if should_prune(worse, seed):
            break
    assert seed == WILCOXON_FEWEST_SEEDS - 1  # so that one seed at least is saved
    close = study.ask()
    for seed in seeds:
        close.report(0.8 + seed / 100 + (0.01 if seed % 2 else -0.01), seed)
        assert not should_prune(close, seed)
