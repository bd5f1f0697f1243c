"""The next trial of a study: queued by hand, the baseline, from a list, or a sampler's proposal."""

from typing import Any

import optuna

from studies.sampler import propose
from studies.search import Search
from studies.space import nearest


def queue_next(study: optuna.Study, search: Search) -> None:
    """Puts the study's next trial into its queue, in one write, with all of its parameters.

    For when nothing waits there. Only one worker calls this at a time (Claims.turn).
    """
    trials = study.get_trials(deepcopy=False)
    if search.queue:
        study.enqueue_trial(dict(search.queue[len(trials) % len(search.queue)]))
    elif not trials:
        study.enqueue_trial(nearest(search.baseline, search.space), user_attrs=_baseline_note(search))
    else:
        study.enqueue_trial(propose(study, search.space, search.seed))


def _baseline_note(search: Search) -> dict[str, Any]:
    moved = [name for name, value in nearest(search.baseline, search.space).items() if value != search.baseline[name]]
    return {"baseline": True, "moved": ", ".join(moved)}
