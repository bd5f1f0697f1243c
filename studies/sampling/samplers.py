"""Which parameters a trial gets: proposed from the trials that ended, so that a search can stop and go on anywhere."""

import copy
import warnings
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from studies.sampling.algorithm_names import SamplerName
from studies.space.dimensions import Space, has_conditions
from studies.space.suggest import suggest

STARTUP_TRIALS = 10  # random ones before TPE or a Gaussian process has something to go by; Optuna's default
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

# Optuna marks TPE's groups and the quasi-random sampler as experimental. What may change is their interface, which is
# used here alone; the version is pinned, and recorded with every model.
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning, module=__name__)


def sampler_for(name: SamplerName, seed: int, ended: int, running: int = 0, *, groups: bool = False) -> BaseSampler:
    """A sampler for the trial that follows `ended` others, while `running` are under way elsewhere.

    A sampler's own random state is not stored with a study. Seeding it for each trial, from the study's seed
    and the number of trials that ended and run, makes a resumed search propose what the uninterrupted one would have.
    groups: whether some parameters are tried only under a condition. TPE then models together those that occur
    together; without groups it would draw each of them on its own.
    """
    state = int(np.random.SeedSequence([seed, ended, running]).generate_state(1)[0])
    if name == "random":
        return RandomSampler(seed=state)
    if name == "gp":
        # conditional parameters are sampled at random, of which it would warn at every trial
        return GPSampler(seed=state, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)
    if name == "qmc":
        return _Sequence(seed, state, place=max(ended + running - 1, 0))  # trial 0 is the baseline
    return TPESampler(seed=state, multivariate=True, group=groups, constant_liar=True, n_startup_trials=STARTUP_TRIALS)


class _Sequence(QMCSampler):
    """A scrambled Sobol sequence, at a given place of it.

    Optuna counts the place in the study's attributes, before the trial is there: a kill in between would skip a point.
    """

    def __init__(self, seed: int, state: int, place: int) -> None:
        super().__init__(
            qmc_type="sobol",
            scramble=True,
            seed=seed,  # the same for all trials: they are points of one sequence
            independent_sampler=RandomSampler(seed=state),
            warn_independent_sampling=False,
        )
        self.place = place

    def _find_sample_id(self, study: optuna.Study, search_space: dict[str, Any]) -> int:
        return self.place


def propose(study: optuna.Study, space: Space, seed: int, sampler: SamplerName = "tpe") -> dict[str, Any]:
    """Parameters for the study's next trial: a pure function of the trials in it.

    They are sampled in a copy of the study in memory. The study itself then gets them in one write, so that a kill
    never leaves a trial with half of its parameters.
    """
    trials = study.get_trials(deepcopy=False, states=(*ENDED, TrialState.RUNNING))
    ended = sum(trial.state in ENDED for trial in trials)
    sampler_now = sampler_for(sampler, seed, ended, running=len(trials) - ended, groups=has_conditions(space))
    in_memory = optuna.create_study(direction=study.direction, sampler=sampler_now, pruner=optuna.pruners.NopPruner())
    in_memory.add_trials([_without_internals(trial) for trial in trials])
    trial = in_memory.ask()
    suggest(trial, space)
    return dict(trial.params)


def _without_internals(trial: FrozenTrial) -> FrozenTrial:
    """What samplers look at: of a pruned trial also how far it came, of others the reports do not count."""
    plain = copy.copy(trial)
    plain.user_attrs, plain.system_attrs = {}, {}
    plain.intermediate_values = trial.intermediate_values if trial.state == TrialState.PRUNED else {}
    return plain
