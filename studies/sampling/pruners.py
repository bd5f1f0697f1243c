"""Which trials are stopped early, and when: every decision a pure function of what the study's trials reported.

Optuna's successive halving notes on a trial which rungs it has passed; a kill after that note would let a pruned trial
continue. Here the rungs are read from the reports. The rules are Optuna's own; tests compare the two.
"""

import copy
import math
from collections.abc import Iterable

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from studies.sampling.algorithm_names import HYPERBAND_REDUCTION, WILCOXON_P, PrunerName, bracket_of, bracket_shares

MEDIAN_STARTUP = 5  # complete trials before any is pruned
HALVING_REDUCTION = 4  # one of so many passes a rung, and the next is so many times further; Optuna's default


def pruner_for(name: PrunerName, most_steps: int) -> BasePruner:
    """What stops trials that lag. A step is an epoch, or a seed where trials are averaged over several.

    median: below the median of complete trials at the same step, after the first step, once five are complete.
    successive_halving: not among the best quarter at steps 1, 4, 16... hyperband: that in several brackets, which
    begin to stop trials at different steps. wilcoxon: significantly below the best trial, seed by seed.
    most_steps: the most that a trial reports.
    """
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=MEDIAN_STARTUP, n_warmup_steps=1)
    if name == "successive_halving":
        return Halving(HALVING_REDUCTION)
    if name == "hyperband":
        return Hyperband(most_steps)
    if name == "wilcoxon":
        return optuna.pruners.WilcoxonPruner(p_threshold=WILCOXON_P)
    return optuna.pruners.NopPruner()


def should_prune(trial: optuna.Trial, step: int) -> bool:
    """Whether the trial is to stop after `step`: the same whenever it is asked.

    A trial that began over, for want of its checkpoint, has reports of later steps already: they do not count.
    """
    now = copy.copy(trial.study.get_trials(deepcopy=False)[trial.number])
    now.intermediate_values = {at: value for at, value in now.intermediate_values.items() if at <= step}
    return bool(trial.study.pruner.prune(trial.study, now))


class Halving(BasePruner):
    """Asynchronous successive halving: at its rungs, a trial goes on if it is among the best 1/reduction so far.

    Li et al., A System for Massively Parallel Hyperparameter Tuning (2020), as Optuna does it: the values compared are
    those of the trials that were asked at the rung, so none that ended there by itself.
    """

    def __init__(self, reduction: int, skipped: int = 0) -> None:
        """skipped: how many of the rungs 1, reduction, reduction²... are left out, from the first on."""
        self.reduction, self.skipped = reduction, skipped

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return self.prune_among(study.get_trials(deepcopy=False), study, trial)

    def prune_among(self, trials: Iterable[FrozenTrial], study: optuna.Study, trial: FrozenTrial) -> bool:
        """As `prune`, with the trials that it is compared with."""
        step = trial.last_step
        if step is None or not self._is_rung(step):
            return False
        value = trial.intermediate_values[step]
        if math.isnan(value):
            return True
        others = [other.intermediate_values[step] for other in trials if _was_asked(other, step, besides=trial.number)]
        sign = 1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else -1
        ranked = sorted((sign * other for other in [*others, value]), reverse=True)
        return sign * value < ranked[max(len(ranked) // self.reduction - 1, 0)]

    def _is_rung(self, step: int) -> bool:
        rung: int = self.reduction**self.skipped
        while rung < step:
            rung *= self.reduction
        return rung == step


def _was_asked(trial: FrozenTrial, step: int, besides: int) -> bool:
    """Whether another trial reported at a step and could be pruned there; no complete trial's last step is such."""
    reports = trial.intermediate_values
    if trial.number == besides or step not in reports or math.isnan(reports[step]):
        return False
    return trial.state != TrialState.COMPLETE or step < max(reports)


class Hyperband(BasePruner):
    """Successive halving in brackets that begin to stop trials after 1, 3, 9... steps. A trial's number decides.

    Li et al., Hyperband (2018), with Optuna's brackets and shares. Unlike Optuna's, it does not hide the trials of
    other brackets from the sampler, which would leave it next to nothing to learn from in a small budget.
    """

    def __init__(self, most_steps: int) -> None:
        self.shares = bracket_shares(most_steps)
        self.brackets = [Halving(HYPERBAND_REDUCTION, skipped) for skipped in range(len(self.shares))]

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        own = bracket_of(study.study_name, trial.number, self.shares)
        others = study.get_trials(deepcopy=False)
        same = (other for other in others if bracket_of(study.study_name, other.number, self.shares) == own)
        return self.brackets[own].prune_among(same, study, trial)
