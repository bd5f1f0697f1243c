"""Studies whose trials are listed beforehand, not sampled: which entry of the list a worker's slot stands for.

Entry i of the list belongs to slot i of the study's budget, and a slot has one owner: so any number of workers run
every entry once, without communicating. A trial knows its entry by the user attribute "entry".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from storage.records.trial_slots import Slot

ENTRY = "entry"
# A listed trial's note with parameters that its study's space does not have.
SETTINGS = "settings"
FAIL = TrialState.FAIL
# One more than the equal failures that stop a search: after the cause is fixed there is another attempt, and an entry
# that always fails does not block the others for ever.
ATTEMPTS = 4


@dataclass(frozen=True)
class EnumeratedTrial:
    """A trial to be run. key: unique in its study. notes: user attributes; a "seed" among them is the trial's own,
    "settings" are further parameters, which the space does not have."""

    key: str
    params: Mapping[str, Any]
    notes: Mapping[str, Any] = field(default_factory=dict)


def assign_slots(
    wanted: Sequence[EnumeratedTrial], study: optuna.Study, slots: Sequence[Slot]
) -> list[EnumeratedTrial | None]:
    """The study's list, in which entry i belongs to slot i. Entries that were begun keep their slots; the other wanted
    ones take the free slots, in their order. None: a slot that is closed without a trial.

    The list changes when the search that it follows is extended. It is a pure function of what the store holds: every
    worker of a study computes the same one, also after a kill.
    """
    trials = study.get_trials(deepcopy=False)
    known = {entry.key: entry for entry in wanted}
    places: dict[int, EnumeratedTrial | None] = {}
    for slot in slots:
        if slot.trial is not None:
            places[slot.slot] = _entry(trials[slot.trial], known)
        elif slot.state == "done":
            places[slot.slot] = None
    placed = {entry.key for entry in places.values() if entry is not None}
    begun = {t.user_attrs[ENTRY]: _entry(t, known) for t in trials if ENTRY in t.user_attrs and t.state != FAIL}
    left = [entry for key, entry in {**known, **begun}.items() if key not in placed]
    places |= dict(zip((i for i in count() if i not in places), left, strict=False))
    return [places.get(i) for i in range(max(places, default=-1) + 1)]


def begin_enumerated(study: optuna.Study, entry: EnumeratedTrial | None) -> int | None:
    """Begins a slot's entry and returns the trial's number; None where the slot has nothing to do.

    The trial is made running, with its parameters, in one write. One that the slot's former owner began and could not
    record any more is found by its entry.
    """
    if entry is None:
        return None
    for trial in study.get_trials(deepcopy=False):
        if trial.user_attrs.get(ENTRY) == entry.key and trial.state != FAIL:
            return trial.number
    running = create_trial(
        state=TrialState.RUNNING,
        system_attrs={"fixed_params": dict(entry.params)},
        user_attrs={ENTRY: entry.key, **entry.notes},
    )
    trial_id = study._storage.create_new_trial(study._study_id, template_trial=running)
    return study._storage.get_trial_number_from_id(trial_id)


def is_given_up(study: optuna.Study, number: int) -> bool:
    """Whether an enumerated trial that failed is given up: with its own seed it would diverge once more, or it has
    failed ATTEMPTS times. Its slot is then closed: it counts, without a value.
    """
    trials = study.get_trials(deepcopy=False)
    own = trials[number].user_attrs
    if ENTRY not in own:
        return False
    diverged = str(own.get("reason", "")).startswith("DivergedError")
    failed = [trial for trial in trials if trial.user_attrs.get(ENTRY) == own[ENTRY] and trial.state == FAIL]
    return (diverged and "seed" in own) or len(failed) >= ATTEMPTS


def _entry(trial: FrozenTrial, known: Mapping[str, EnumeratedTrial]) -> EnumeratedTrial:
    key = trial.user_attrs[ENTRY]
    return known.get(key) or EnumeratedTrial(
        key, trial.system_attrs.get("fixed_params", trial.params), trial.user_attrs
    )
