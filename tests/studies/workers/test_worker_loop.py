import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from safetensors import SafetensorError
from sqlalchemy import Engine

from storage.process_identity import this_process
from storage.records.trial_slots import slots
from studies.optuna_storage import open_optuna
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import BASELINE, RunIt, a_search, dead_worker, formula, outcome
from transfer.errors import UserError


def test_the_budget_is_used_exactly_and_a_second_run_adds_nothing(run_it: RunIt) -> None:
    assert len(run_it().trials) == 6
    assert len(run_it().trials) == 6


def test_raising_the_budget_goes_on(run_it: RunIt) -> None:
    before = outcome(run_it())
    after = outcome(run_it(a_search(trials=9)))
    assert len(after) == 9
    assert after[:6] == before


def test_a_trial_beyond_a_lowered_budget_rests_until_it_is_raised(run_it: RunIt) -> None:
    def interrupted(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 4:
            raise KeyboardInterrupt
        return formula(trial, _)

    with pytest.raises(KeyboardInterrupt):
        run_it(trial=interrupted, worker=dead_worker())
    assert run_it(a_search(trials=3)).trials[4].state == TrialState.RUNNING
    assert run_it(a_search(trials=6)).trials[4].state.is_finished()


def test_trial_0_is_the_published_recipe(run_it: RunIt) -> None:
    first = run_it().trials[0]
    assert first.user_attrs["baseline"] is True
    assert first.params == {name: BASELINE[name] for name in first.params}
    assert "weight_decay" not in first.params  # fixed by the plan


def test_the_seed_decides_the_trials(run_it: RunIt, tmp_path: Path) -> None:
    one = outcome(run_it(a_search(name="one")))
    assert outcome(run_it(a_search(name="two"))) == one
    assert outcome(run_it(a_search(name="three", seed=8))) != one


def test_a_search_stopped_after_any_trial_ends_like_one_that_ran_through(run_it: RunIt) -> None:
    whole = outcome(run_it(a_search(name="whole", trials=14)))

    for trials in range(1, 15):
        run_it(a_search(name="stopped", trials=trials))
    assert outcome(run_it(a_search(name="stopped", trials=14))) == whole


def test_an_interrupted_trial_is_gone_on_with_under_its_number(run_it: RunIt) -> None:
    whole = outcome(run_it(a_search(name="whole")))

    def interrupted(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 3:
            trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)
            raise KeyboardInterrupt
        return formula(trial, _)

    with pytest.raises(KeyboardInterrupt):
        run_it(a_search(name="cut"), interrupted, worker=dead_worker())
    assert outcome(run_it(a_search(name="cut"))) == whole


def test_a_trial_asked_for_but_not_noted_is_adopted(run_it: RunIt, url: str) -> None:
    whole = outcome(run_it(a_search(name="whole")))
    run_it(a_search(name="cut", trials=3))
    study = open_study(open_optuna(url), a_search(name="cut"))
    from studies.workers.next_trial import add_next_trial

    add_next_trial(study, a_search(name="cut"))
    study.ask()  # and then killed, before the number was noted
    assert outcome(run_it(a_search(name="cut"))) == whole


def test_a_failing_trial_is_recorded_with_its_reason_and_replaced(run_it: RunIt) -> None:
    def fails_once(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 2:
            formula(trial, _)
            raise RuntimeError("the loss became nan")
        return formula(trial, _)

    study = run_it(trial=fails_once)
    states = [trial.state for trial in study.trials]
    assert states.count(TrialState.FAIL) == 1
    assert len(states) == 7  # six that count, and the failed one
    assert study.trials[2].user_attrs["reason"] == "RuntimeError: the loss became nan"
    assert study.trials[3].params != study.trials[2].params


def test_three_failures_alike_stop_the_search_and_say_why(run_it: RunIt) -> None:
    def fails(trial: optuna.Trial, _: object) -> TrialEnd:
        raise RuntimeError("no space left")

    with pytest.raises(UserError, match="last 3 trials failed alike: RuntimeError: no space left"):
        run_it(trial=fails)


def test_what_the_user_can_mend_leaves_the_trial_to_be_gone_on_with(run_it: RunIt) -> None:
    def cannot(trial: optuna.Trial, _: object) -> TrialEnd:
        raise UserError("candidate 'x': the hub cannot be reached")

    with pytest.raises(UserError):
        run_it(trial=cannot, worker=dead_worker())
    study = run_it()
    assert [trial.state for trial in study.trials].count(TrialState.FAIL) == 0
    assert len(study.trials) == 6


FULL = "Error while serializing: I/O error: No space left on device (os error 28)"


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), SafetensorError(FULL)], ids=repr)
def test_a_full_disk_ends_the_search_and_fails_no_trial(run_it: RunIt, fault: Exception) -> None:
    def full(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 2:
            raise fault
        return formula(trial)

    with pytest.raises(OSError, match="No space left on device"):
        run_it(trial=full, worker=dead_worker())
    study = run_it()
    assert [trial.state for trial in study.trials].count(TrialState.FAIL) == 0
    assert len(study.trials) == 6


def test_a_study_is_not_gone_on_with_in_the_other_direction(run_it: RunIt) -> None:
    run_it()
    with pytest.raises(UserError, match="begun to maximize, not to minimize"):
        run_it(a_search(direction="minimize"))


def test_a_slot_of_a_trial_that_has_ended_is_closed_not_run_again(run_it: RunIt, engine: Engine) -> None:
    """Killed between telling a trial and closing its slot."""

    def killed_after_telling() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_it(worker=dead_worker(), after=killed_after_telling)
    assert [slot.state for slot in slots(engine, "study")] == ["open"]
    study = run_it()
    assert len(study.trials) == 6
    assert {slot.state for slot in slots(engine, "study")} == {"done"}


WORKER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from storage.database.open_store import open_store
from storage.process_identity import this_process
from studies.workers.trial_claims import TrialClaims
from studies.optuna_storage import open_optuna
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import a_search, formula
def slow(trial, _):
    print(trial.number, flush=True)
    time.sleep(float(sys.argv[3]))
    return formula(trial, _)
url, search = sys.argv[1], a_search(trials=12)
study = open_study(open_optuna(url), search)
work(study, search, TrialClaims(open_store(url), search.name, this_process()), slow, lambda: None)
"""


def _start(url: str, seconds: float) -> "subprocess.Popen[str]":
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", WORKER, url, root, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_several_workers_share_one_budget_and_a_killed_one_is_replaced(url: str, engine: Engine) -> None:
    search = a_search(trials=12)
    study = open_study(open_optuna(url), search)
    victim = _start(url, 60)
    assert victim.stdout is not None
    victim.stdout.readline()  # it holds a trial now
    others = [_start(url, 0.05) for _ in range(2)]
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    work(study, search, TrialClaims(engine, search.name, this_process()), formula, lambda: None)
    for other in others:
        _, errors = other.communicate(timeout=300)
        assert other.returncode == 0, errors
    states = [trial.state for trial in study.get_trials()]
    assert sum(state in {TrialState.COMPLETE, TrialState.PRUNED} for state in states) == 12
    assert len(states) == 12
