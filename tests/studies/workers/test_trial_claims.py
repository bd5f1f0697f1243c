"""Which worker has which trial: leases that are lost, workers that hang, and machines that sleep."""

import time
from dataclasses import replace

import optuna
import pytest
from sqlalchemy import Engine

from storage.process_identity import ProcessIdentity, this_process
from storage.records import trial_slots as table
from studies.optuna_storage import open_optuna
from studies.trials.heartbeat import Heartbeat
from studies.trials.trial_result import TrialEnd
from studies.workers.dead_workers import HANG_SECONDS, HEARTBEAT_TIMEOUT_SECONDS
from studies.workers.trial_claims import TrialClaim, TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import a_search, formula


class Clock:
    """Seconds that the machine was awake, as the test wants them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def far(name: str) -> ProcessIdentity:
    return replace(this_process(name), host="another-host")


def beat(engine: Engine, worker: ProcessIdentity, at: float, moved: float | None = None) -> None:
    assert table.record_heartbeat(engine, "study", 0, worker, at, moved)


def test_a_silent_worker_of_another_machine_is_given_up_after_a_lease(engine: Engine) -> None:
    clock, owner = Clock(), far("far")
    table.take_slot(engine, "study", 1, owner, 0.0)  # its clock may say anything
    me = TrialClaims(engine, "study", this_process(), clock)
    assert me.next(1) is None  # whoever has just come cannot know
    clock.now = HEARTBEAT_TIMEOUT_SECONDS
    assert me.next(1) is None
    beat(engine, owner, 1.0)
    clock.now = HEARTBEAT_TIMEOUT_SECONDS + 1
    assert me.next(1) is None
    clock.now = 2 * HEARTBEAT_TIMEOUT_SECONDS + 2
    assert me.next(1) == TrialClaim(0, None)


@pytest.mark.parametrize("where", ["here", "far"])
def test_a_worker_that_beats_but_does_not_move_is_given_up_and_a_slow_one_is_not(engine: Engine, where: str) -> None:
    clock, owner = Clock(), this_process("owner") if where == "here" else far("owner")
    table.take_slot(engine, "study", 1, owner, 0.0)
    table.set_trial(engine, "study", 0, owner, 4)
    me = TrialClaims(engine, "study", this_process(), clock)

    def beats_until(end: float, moved: float) -> TrialClaim | None:
        while clock.now < end:
            clock.now += HEARTBEAT_TIMEOUT_SECONDS / 2
            beat(engine, owner, clock.now, moved)
            if claim := me.next(1):
                return claim
        return None

    assert beats_until(HANG_SECONDS - 60, moved=0.0) is None
    assert beats_until(2 * HANG_SECONDS - 180, moved=5.0) is None  # one step in all that time: slow
    assert beats_until(3 * HANG_SECONDS, moved=5.0) == TrialClaim(0, 4)


def test_a_laptop_that_slept_keeps_its_trial(engine: Engine) -> None:
    clock, owner = Clock(), this_process("owner")
    table.take_slot(engine, "study", 1, owner, time.time() - 9 * 3600)  # its last beat: before the night
    me = TrialClaims(engine, "study", this_process(), clock)
    assert me.next(1) is None
    clock.now = HEARTBEAT_TIMEOUT_SECONDS + 1  # both were awake again for longer than a heartbeat
    assert me.next(1) is None


def test_of_two_workers_one_gets_a_trial(engine: Engine) -> None:
    one, two = (TrialClaims(engine, "study", this_process()) for _ in range(2))
    first, second = one.next(2), two.next(2)
    assert first is not None
    assert second is not None
    assert one.begin(first, 7)
    assert not two.begin(second, 7)
    assert two.begin(second, 8)
    assert one.begin(first, 7)  # again, for the database may have done it and not said so
    assert not one.begin(first, 9)


def test_a_worker_that_lost_its_trial_leaves_it_alone_and_takes_another(engine: Engine, url: str) -> None:
    search = a_search(trials=3)
    study = open_study(open_optuna(url), search)
    other = TrialClaims(engine, search.name, this_process("other"))
    lost: list[int] = []
    result: list[float | None] = []

    def loses_trial_1(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        if trial.number == 1 and not lost:
            lost.append(trial.number)
            [slot] = other.open_slots(3)
            assert table.take_over(engine, slot, other.worker, 1.0)
            # the other one runs it to its end, while this one hangs
            theirs = optuna.load_study(study_name=search.name, storage=open_optuna(url))
            theirs.get_trials(deepcopy=False)  # fills Optuna's cache
            ended = formula(optuna.trial.Trial(theirs, trial._trial_id))
            theirs.tell(trial.number, ended.value)
            result.append(ended.value)
            other.close(TrialClaim(slot.slot, slot.trial))
        return formula(trial) if trial.number not in lost else TrialEnd(99.0, is_pruned=False)

    work(study, search, TrialClaims(engine, search.name, this_process()), loses_trial_1, lambda: None)
    trials = study.get_trials()
    assert lost == [1]
    assert trials[1].value == result[0]
    assert len(trials) == 3
    assert all(trial.state.is_finished() and trial.value != 99 for trial in trials)
    assert {slot.state for slot in table.slots(engine, "study")} == {"done"}


def test_a_trial_reported_by_two_workers_counts_once(engine: Engine, url: str) -> None:
    """The old owner was quicker than the new one, between its last look at the slot and its end."""
    search = a_search(trials=1)
    study = open_study(open_optuna(url), search)

    def told_meanwhile(trial: optuna.Trial, _: Heartbeat) -> TrialEnd:
        optuna.load_study(study_name=search.name, storage=open_optuna(url)).tell(trial.number, 0.25)
        return TrialEnd(0.5, is_pruned=False)

    work(study, search, TrialClaims(engine, search.name, this_process()), told_meanwhile, lambda: None)
    assert [trial.value for trial in study.get_trials()] == [0.25]
    assert [slot.state for slot in table.slots(engine, "study")] == ["done"]
