"""The order of a study's complete trials: the best first, and of equals the earliest."""

from collections.abc import Iterable
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


def rank(study: optuna.Study, value: float | None, number: int) -> tuple[float, int]:
    """A key to sort by, for a trial of that value and number; smaller is better."""
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    return (sign * (value if value is not None else float("nan")), number)


def ranked(study: optuna.Study, trials: Iterable[FrozenTrial] | None = None) -> list[FrozenTrial]:
    """These of the study's complete trials, by default all, the best first."""
    if trials is None:
        trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return sorted(trials, key=lambda trial: rank(study, trial.value, trial.number))


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """The study's best complete trial; None where none is complete."""
    return next(iter(ranked(study)), None)


def best_distinct(study: optuna.Study, most: int) -> list[FrozenTrial]:
    """The study's best complete trials, best first; of several with one set of parameters the best alone."""
    found: dict[tuple[tuple[str, Any], ...], FrozenTrial] = {}
    for trial in ranked(study):
        found.setdefault(tuple(sorted(trial.params.items())), trial)
    return list(found.values())[:most]
