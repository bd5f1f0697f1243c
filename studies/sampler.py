"""Which parameters a trial gets: proposed from the trials that ended, so that a search can stop and go on anywhere."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from studies.space import Space, suggest

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

PrunerName = Literal["median", "none"]
STARTUP_TRIALS = 10  # random ones before TPE has something to go by; Optuna's default
MEDIAN_STARTUP = 5  # complete trials before any is pruned
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def sampler_for(seed: int, ended: int, running: int = 0) -> optuna.samplers.TPESampler:
    """A TPE sampler for the trial that follows `ended` others, while `running` are under way elsewhere.

    A sampler's own random state is not stored with a study. Seeding it anew for each trial, from the study's seed
    and the number of trials that ended and run, makes a resumed search propose what the uninterrupted one would have.
    """
    state = int(np.random.SeedSequence([seed, ended, running]).generate_state(1)[0])
    return optuna.samplers.TPESampler(
        seed=state, multivariate=True, constant_liar=True, n_startup_trials=STARTUP_TRIALS
    )


def pruner_for(name: PrunerName) -> "BasePruner":
    """Stops trials that lag: "median" after one epoch, once five trials are complete; "none" never."""
    if name == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=MEDIAN_STARTUP, n_warmup_steps=1)


def propose(study: optuna.Study, space: Space, seed: int) -> dict[str, Any]:
    """Parameters for the study's next trial: a pure function of the trials in it.

    They are drawn in a copy of the study in memory. The study itself then gets them in one write (enqueue_trial), so
    that a kill never leaves a trial with half of its parameters.
    """
    trials = study.get_trials(deepcopy=False, states=(*ENDED, TrialState.RUNNING))
    ended = sum(trial.state in ENDED for trial in trials)
    sampler = sampler_for(seed, ended, running=len(trials) - ended)
    copy = optuna.create_study(direction=study.direction, sampler=sampler)
    copy.add_trials([_without_internals(trial) for trial in trials])
    trial = copy.ask()
    suggest(trial, space)
    return dict(trial.params)


def _without_internals(trial: FrozenTrial) -> FrozenTrial:
    return FrozenTrial(
        number=trial.number,
        state=trial.state,
        value=trial.value,
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values=trial.intermediate_values,
        trial_id=trial._trial_id,
    )
