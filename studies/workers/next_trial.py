"""The next trial of a study whose trials are not listed: queued by hand, the baseline, or a sampler's proposal."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from studies.sampling.samplers import propose
from studies.space.dimensions import Space
from studies.space.suggest import nearest, suggest
from studies.study_config import StudyConfig


def add_next_trial(study: optuna.Study, search: StudyConfig) -> None:
    """Puts the study's next trial into its queue, in one write, with all of its parameters.

    For when nothing waits there; only one worker calls this at a time (TrialClaims.turn). The first is the baseline,
    whatever was queued by hand before it.
    """
    trials = study.get_trials(deepcopy=False)
    if not any(trial.user_attrs.get("baseline") for trial in trials):
        queue_trial(study, search.space, nearest(search.baseline, search.space), baseline_note(search))
    else:
        queue_trial(study, search.space, propose(study, search.space, search.seed, search.sampler))


def baseline_note(search: StudyConfig) -> dict[str, Any]:
    """User attributes of the untuned trial: that it is one, and which parameters the space moved."""
    moved = [name for name, value in nearest(search.baseline, search.space).items() if value != search.baseline[name]]
    return {"baseline": True, "moved": ", ".join(moved)}


def queue_trial(study: optuna.Study, space: Space, params: Mapping[str, Any], note: Mapping[str, Any] = {}) -> int:
    """Lets a trial wait in the study; a worker runs it as soon as it is free, within the budget. Returns its number.

    params: a value for every parameter of the space that varies and whose condition holds. Written in one transaction:
    a kill leaves the whole of it or nothing.
    """
    trial = study._storage.create_new_trial(study._study_id, template_trial=_waiting(space, params, note))
    return study._storage.get_trial_number_from_id(trial)


def _waiting(space: Space, params: Mapping[str, Any], note: Mapping[str, Any]) -> FrozenTrial:
    given = FixedTrial(dict(params))
    suggest(given, space)
    return create_trial(
        state=TrialState.WAITING, params=given.params, distributions=given.distributions, user_attrs=dict(note)
    )
