"""One worker's part in a study: claim a trial, run it, tell what came out, until the budget is used up."""

import errno
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

import optuna
from optuna.trial import Trial, TrialState

from storage.problem import StoreProblem
from studies.claims import Claim, Claims
from studies.proposal import ask
from studies.queued import begin_queued, is_given_up
from studies.sampler import pruner_for, sampler_for
from studies.search import Search
from transfer.problem import Problem

log = logging.getLogger(__name__)
# So many failures in a row with one reason, and the next would fail too.
FAILURES_IN_A_ROW = 3
POLL_SECONDS = 1.0
# Faults of the place, not of the trial: it is gone on with when there is room again.
PLACE_FAULTS = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO}
# Between asking for a trial and noting its number a worker may die; a trial of nobody's this old is adopted.
ORPHAN_SECONDS = 60.0


@dataclass(frozen=True)
class Ended:
    """What a trial came to. value: of its best epoch, or of its last where it was pruned."""

    value: float
    is_pruned: bool


RunTrial = Callable[[Trial], Ended]


def open_study(storage: optuna.storages.BaseStorage, search: Search) -> optuna.Study:
    """The study of that name, made if it is not there. Only the leader of a workspace calls this.

    Raises Problem where a study of that name optimises in the other direction: Optuna would not say so.
    """
    study = optuna.create_study(
        study_name=search.name,
        storage=storage,
        direction=search.direction,
        sampler=sampler_for(search.seed, 0),
        pruner=pruner_for(search.pruner),
        load_if_exists=True,
    )
    if study.direction.name.lower() != search.direction:
        raise Problem(f"study '{search.name}' was begun to {study.direction.name.lower()}, not to {search.direction}")
    if study.metric_names is None:
        study.set_metric_names([search.metric])
    for name, value in search.attributes.items():
        if study.user_attrs.get(name) != value:
            study.set_user_attr(name, value)
    return study


def work(
    study: optuna.Study, search: Search, claims: Claims, run_trial: RunTrial, after_trial: Callable[[], None]
) -> None:
    """Runs trials until the budget is used up and nobody runs one any more.

    run_trial: does one trial. after_trial: called when one was told, before its slot is closed.
    An exception of run_trial's ends that trial as failed, with its reason, and the search goes on; three in a row
    with one reason raise Problem. A Problem, Ctrl-C or a kill leaves the trial as it is, to be gone on with.
    """
    while True:
        claim = claims.next(search.trials)
        if claim is None:
            if not claims.open_slots(search.trials):
                return
            time.sleep(POLL_SECONDS)  # others are still at it, and if one dies its trial is ours
            continue
        with claims.alive(claim):
            _run_claim(study, search, claims, claim, run_trial, after_trial)
        _stop_if_all_fail(study)


def _run_claim(
    study: optuna.Study,
    search: Search,
    claims: Claims,
    claim: Claim,
    run_trial: RunTrial,
    after_trial: Callable[[], None],
) -> None:
    trial = _trial_for(study, search, claims, claim)
    if trial is None:
        claims.close(claim)
        return
    state = study.get_trials(deepcopy=False)[trial.number].state
    if state == TrialState.RUNNING:
        state = _run(study, trial, run_trial)
    after_trial()
    if state == TrialState.FAIL and not is_given_up(study, trial.number):
        claims.free(claim)
    else:
        claims.close(claim)


def _run(study: optuna.Study, trial: Trial, run_trial: RunTrial) -> TrialState:
    try:
        ended = run_trial(trial)
    except (Problem, StoreProblem):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in PLACE_FAULTS:
            raise
        log.warning("trial %d failed: %s", trial.number, error, exc_info=log.isEnabledFor(logging.DEBUG))
        trial.set_user_attr("reason", f"{type(error).__name__}: {error}"[:500])
        study.tell(trial, state=TrialState.FAIL)
        return TrialState.FAIL
    if ended.is_pruned:
        study.tell(trial, state=TrialState.PRUNED)
        return TrialState.PRUNED
    study.tell(trial, ended.value)
    return TrialState.COMPLETE


def _trial_for(study: optuna.Study, search: Search, claims: Claims, claim: Claim) -> Trial | None:
    """The claim's own trial where it had begun one, else an orphan, else the next one; None where a list has none."""
    number = claim.trial
    if number is None and search.queue is not None:
        number = begin_queued(study, search.queue[claim.slot])
        if number is None:
            return None
    number = number if number is not None else _orphan(study, claims)
    if number is None:
        number = ask(study, search)
    claims.begin(claim, number)
    return Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def _orphan(study: optuna.Study, claims: Claims) -> int | None:
    """A running trial that belongs to no slot: its worker died before it could note the number.

    The trials are read before the slots: whoever began one held its slot already, so a trial of the living is seen
    with its slot.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    known, others = claims.known_trials_and_others()
    for trial in running:
        started = trial.datetime_start.replace(tzinfo=UTC).timestamp() if trial.datetime_start else 0.0
        if trial.number not in known and (not others or time.time() - started > ORPHAN_SECONDS):
            return trial.number
    return None


def _stop_if_all_fail(study: optuna.Study) -> None:
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()][-FAILURES_IN_A_ROW:]
    reasons = [str(trial.user_attrs.get("reason")) for trial in ended if trial.state == TrialState.FAIL]
    alike = {re.sub(r"[\d.]+", "#", reason) for reason in reasons}  # sizes and losses differ, the cause does not
    if len(reasons) == FAILURES_IN_A_ROW and len(alike) == 1:
        raise Problem(
            f"study '{study.study_name}': the last {FAILURES_IN_A_ROW} trials failed alike: {reasons[-1]}",
            "mend the cause, then run the same command again: the trials that ended are kept",
        )
