"""One worker's part in a study: claim a trial, run it, record its end, until the budget is used up."""

import errno
import logging
import math
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from storage.database.retry import with_retries
from storage.errors import StoreError
from studies.sampling.enumerated_trials import begin_enumerated, is_given_up
from studies.sampling.pruners import pruner_for
from studies.space.dimensions import plain_space
from studies.study_config import StudyConfig
from studies.trials.heartbeat import Heartbeat, LostClaim
from studies.trials.trial_result import TrialEnd, stop_if_all_collapse
from studies.workers.next_trial import add_next_trial
from studies.workers.trial_claims import TrialClaim, TrialClaims
from transfer.errors import UserError

log = logging.getLogger(__name__)
# After so many failures in a row for one reason the next would fail too.
FAILURES_IN_A_ROW = 3
POLL_SECONDS = 1.0
# Faults of the disk, not of the trial: it is resumed when there is room.
PLACE_FAULTS = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO}


RunTrial = Callable[[Trial, Heartbeat], TrialEnd]


def open_study(storage: optuna.storages.BaseStorage, search: StudyConfig) -> optuna.Study:
    """The study of that name, made if it is not there. Only the leader of a workspace calls this.

    Raises UserError where a study of that name optimises in the other direction: Optuna would not notice.
    """
    study = optuna.create_study(
        study_name=search.name,
        storage=storage,
        direction=search.direction,
        pruner=pruner_for(search.pruner, search.most_steps),
        load_if_exists=True,
    )
    if study.direction.name.lower() != search.direction:
        raise UserError(f"study '{search.name}' was begun to {study.direction.name.lower()}, not to {search.direction}")
    # what is queued by hand is checked against these, by a command that reads neither data nor models
    known = {"space": plain_space(search.space), "baseline": dict(search.baseline)}
    for name, value in {**search.attributes, **known}.items():
        if study.user_attrs.get(name) != value:
            study.set_user_attr(name, value)
    return study


def work(
    study: optuna.Study,
    search: StudyConfig,
    claims: TrialClaims,
    run_trial: RunTrial,
    after_trial: Callable[[], None],
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Runs trials until the budget is used up and no worker runs one any more.

    run_trial: does one trial, and calls its heartbeat. after_trial: called when the study has a trial's end, before its
    slot is closed.
    is_over: whether the time is up: then no further trial is begun, and those of other workers are waited for.
    An exception of run_trial's ends that trial as failed, with its reason, and the search goes on; three in a row
    with one reason raise UserError. A UserError, Ctrl-C or a kill leaves the trial as it is, to be gone on with. So
    does LostClaim: the trial is another worker's, and this one takes another.
    """
    while True:
        over = is_over()
        claim = None if over else with_retries(lambda: claims.next(search.trials))
        if claim is None:
            if not claims.others_at_work(search.trials) if over else claims.is_used_up(search.trials):
                return
            time.sleep(POLL_SECONDS)  # others are still at it, and if one dies its trial is ours
            continue
        try:
            with claims.alive(claim) as heartbeat:
                _run_claim(study, search, claims, claim, heartbeat, run_trial, after_trial)
        except LostClaim as lost:
            log.warning("left a trial alone: %s", lost)
        _stop_if_all_fail(study)
        stop_if_all_collapse(study)


def _run_claim(
    study: optuna.Study,
    search: StudyConfig,
    claims: TrialClaims,
    claim: TrialClaim,
    heartbeat: Heartbeat,
    run_trial: RunTrial,
    after_trial: Callable[[], None],
) -> None:
    trial = _trial_for(study, search, claims, claim)
    if trial is None:
        claims.close(claim)
        return
    state = _state(study, trial)
    if state == TrialState.RUNNING:
        state = _run(study, trial, heartbeat, run_trial)
    after_trial()
    if state == TrialState.FAIL and not is_given_up(study, trial.number):
        claims.free(claim)
    else:
        claims.close(claim)


def _run(study: optuna.Study, trial: Trial, heartbeat: Heartbeat, run_trial: RunTrial) -> TrialState:
    try:
        ended = run_trial(trial, heartbeat)
    except (UserError, StoreError, LostClaim):
        raise
    except Exception as error:
        number = _errno(error)
        if number in PLACE_FAULTS:
            raise OSError(number, os.strerror(number), getattr(error, "filename", None) or "weights") from error
        heartbeat.check()
        log.warning("trial %d failed: %s", trial.number, error, exc_info=log.isEnabledFor(logging.DEBUG))
        return _end(study, trial, TrialState.FAIL, reason=f"{type(error).__name__}: {error}"[:500])
    heartbeat.check()
    if not math.isfinite(ended.value):
        return _end(study, trial, TrialState.FAIL, reason=f"its value is {ended.value}")
    if ended.is_pruned:
        return _end(study, trial, TrialState.PRUNED)
    return _end(study, trial, TrialState.COMPLETE, ended.value)


def _errno(error: Exception) -> int:
    """The system's number of an error, 0 where it has none. safetensors, written in Rust, has it in words only."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found.group(1)) if found else 0


def _end(
    study: optuna.Study, trial: Trial, state: TrialState, value: float | None = None, reason: str | None = None
) -> TrialState:
    """Records the trial's end once. Returns how it ended: as recorded before, where another worker was quicker."""
    try:
        if reason is not None:
            trial.set_user_attr("reason", reason)
        study.tell(trial, value, state)
    except (UpdateFinishedTrialError, ValueError):
        recorded = _state(study, trial)
        if not recorded.is_finished():
            raise
        return recorded
    return state


def _state(study: optuna.Study, trial: Trial) -> TrialState:
    return study.get_trials(deepcopy=False)[trial.number].state


def _trial_for(study: optuna.Study, search: StudyConfig, claims: TrialClaims, claim: TrialClaim) -> Trial | None:
    """The claim's own trial where it has one, else the next without a claim; it runs from then on.

    None where the study's trials are listed and the list has none for this slot.
    """
    number = claim.trial
    if number is None and search.queue is not None:
        entry = search.queue[claim.slot]
        number = with_retries(lambda: begin_enumerated(study, entry))
        if number is None or not claims.begin(claim, number):  # another slot has the entry: nothing to do here
            return None
    if number is None:
        with claims.turn():
            number = with_retries(lambda: _next(study, search, claims, claim))
    trial = study.get_trials(deepcopy=False)[number]
    if trial.state == TrialState.WAITING:  # still, where a worker was killed just before this line
        _start(study, trial)
    return Trial(study, trial._trial_id)


def _next(study: optuna.Study, search: StudyConfig, claims: TrialClaims, claim: TrialClaim) -> int:
    """Takes a trial without a claim, making one where there is none, and starts it.

    It is taken before it is started, so a kill leaves no running trial without a claim; and the database decides who
    takes it, where Optuna's own popping of a waiting trial may give it to two workers at once.
    """
    while True:
        taken = claims.trials()
        if claim.slot in taken:  # done before, in a call whose answer the store could not give
            return taken[claim.slot]
        trials = study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING))
        for trial in trials:
            if trial.number not in taken.values() and claims.begin(claim, trial.number):
                if trial.state == TrialState.WAITING:
                    _start(study, trial)
                return trial.number
        add_next_trial(study, search)


def _start(study: optuna.Study, trial: FrozenTrial) -> None:
    with suppress(UpdateFinishedTrialError):  # the claim was lost a moment ago, and the trial has ended elsewhere
        study._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    study._thread_local.cached_all_trials = None


def _stop_if_all_fail(study: optuna.Study) -> None:
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()][-FAILURES_IN_A_ROW:]
    reasons = [str(trial.user_attrs.get("reason")) for trial in ended if trial.state == TrialState.FAIL]
    causes = {re.sub(r"[\d.]+", "#", reason) for reason in reasons}  # sizes and losses differ, the cause does not
    if len(reasons) == FAILURES_IN_A_ROW and len(causes) == 1:
        raise UserError(
            f"study '{study.study_name}': the last {FAILURES_IN_A_ROW} trials failed alike: {reasons[-1]}",
            "fix the cause, then run the same command again: the trials that ended are kept",
        )
