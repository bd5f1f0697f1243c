"""The next trial of a study whose trials are not listed: queued by hand, the baseline, or a sampler's proposal."""

from typing import Any

import optuna
from optuna.trial import TrialState

from studies.sampler import propose, sampler_for
from studies.search import Search
from studies.space import nearest


def ask(study: optuna.Study, search: Search) -> int:
    """Begins the study's next trial and returns its number. All of its parameters are in the study from then on."""
    trials = study.get_trials(deepcopy=False)
    if not any(trial.state == TrialState.WAITING for trial in trials):
        if not trials:
            study.enqueue_trial(nearest(search.baseline, search.space), user_attrs=baseline_note(search))
        else:
            study.enqueue_trial(propose(study, search.space, search.seed))
    ended = sum(trial.state.is_finished() for trial in trials)
    study.sampler = sampler_for(search.seed, ended, running=len(trials) - ended)
    return study.ask().number


def baseline_note(search: Search) -> dict[str, Any]:
    """User attributes of the untuned trial: that it is one, and which parameters the space moved."""
    moved = [name for name, value in nearest(search.baseline, search.space).items() if value != search.baseline[name]]
    return {"baseline": True, "moved": ", ".join(moved)}
