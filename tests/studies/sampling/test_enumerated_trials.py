from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.process_identity import this_process
from storage.records.trial_slots import slots
from studies.optuna_storage import open_optuna
from studies.sampling.enumerated_trials import ATTEMPTS, assign_slots, begin_enumerated
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.enumerated import an_entry, listed
from tests.helpers.formula_search import RunIt, dead_worker, formula, outcome
from transfer.errors import UserError


def entries(study: optuna.Study) -> list[str]:
    return [trial.user_attrs["entry"] for trial in study.trials if trial.state.is_finished()]


def test_each_entry_of_a_list_is_run_once_with_its_parameters_and_notes(run_it: RunIt) -> None:
    search = replace(listed(3), queue=[an_entry(0, of=7, seed=3), an_entry(1), an_entry(2)])
    study = run_it(search)
    run_it(search)
    assert entries(study) == ["trial 0", "trial 1", "trial 2"]
    assert [trial.params for trial in study.trials] == [entry.params for entry in search.queue or () if entry]
    assert study.trials[0].user_attrs == {"entry": "trial 0", "of": 7, "seed": 3}


def test_a_listed_study_killed_at_any_trial_ends_like_one_that_ran_through(run_it: RunIt) -> None:
    whole = outcome(run_it(listed(4, "whole")))
    for at in range(4):

        def killed(trial: optuna.Trial, _: object, at: int = at) -> TrialEnd:
            if trial.number == at:
                raise KeyboardInterrupt
            return formula(trial)

        with pytest.raises(KeyboardInterrupt):
            run_it(listed(4, "cut"), killed, worker=replace(dead_worker(), name=f"gone {at}"))
    assert outcome(run_it(listed(4, "cut"))) == whole


def test_a_listed_trial_begun_but_not_noted_is_found_again(run_it: RunIt, url: str, engine: Engine) -> None:
    whole = outcome(run_it(listed(3, "whole")))
    study = open_study(open_optuna(url), listed(3, "cut"))
    claim = TrialClaims(engine, "cut", dead_worker()).next(3)
    assert claim is not None
    begin_enumerated(study, an_entry(0))  # and then killed, before the number was noted
    assert outcome(run_it(listed(3, "cut"))) == whole


def test_a_failed_entry_is_tried_again_before_the_others(run_it: RunIt) -> None:
    def fails_once(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 0:
            raise RuntimeError("out of memory")
        return formula(trial)

    study = run_it(listed(3), fails_once)
    assert entries(study) == ["trial 0", "trial 0", "trial 1", "trial 2"]
    assert [trial.state for trial in study.trials].count(TrialState.FAIL) == 1


def test_an_entry_that_always_fails_stops_the_search_once_and_then_blocks_no_other(run_it: RunIt) -> None:
    def fails(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.user_attrs["entry"] == "trial 0":
            raise RuntimeError("out of memory")
        return formula(trial)

    for _ in range(2):
        with pytest.raises(UserError, match="failed alike"):
            run_it(listed(3), fails)
    study = run_it(listed(3), fails)
    assert entries(study) == ["trial 0"] * ATTEMPTS + ["trial 1", "trial 2"]
    assert len(run_it(listed(3), fails).trials) == ATTEMPTS + 2


def test_an_entry_that_diverges_with_its_own_seed_is_not_tried_again(run_it: RunIt) -> None:
    class DivergedError(RuntimeError):
        pass

    def diverges(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.user_attrs["entry"] == "trial 0":
            raise DivergedError("loss nan")
        return formula(trial)

    study = run_it(replace(listed(2), queue=[an_entry(0, seed=1), an_entry(1, seed=2)]), diverges)
    assert entries(study) == ["trial 0", "trial 1"]


def test_a_list_that_changed_keeps_what_was_begun_and_adds_what_is_new(run_it: RunIt, url: str, engine: Engine) -> None:
    def interrupted(trial: optuna.Trial, _: object) -> TrialEnd:
        if trial.number == 1:
            raise KeyboardInterrupt
        return formula(trial)

    with pytest.raises(KeyboardInterrupt):
        run_it(listed(4), interrupted, worker=dead_worker())
    study = open_study(open_optuna(url), listed(0))
    changed = [an_entry(0), an_entry(8), an_entry(9)]
    queue = assign_slots(changed, study, slots(engine, "study"))
    assert [entry.key for entry in queue if entry] == ["trial 0", "trial 1", "trial 8", "trial 9"]
    study = run_it(replace(listed(0), queue=queue, trials=len(queue)))
    assert entries(study) == ["trial 0", "trial 1", "trial 8", "trial 9"]
    assert study.trials[1].params == an_entry(1).params


def test_a_place_that_no_entry_stands_at_is_closed(run_it: RunIt, engine: Engine) -> None:
    study = run_it(replace(listed(0), queue=[None, an_entry(1)], trials=2))
    assert entries(study) == ["trial 1"]
    assert assign_slots([an_entry(1), an_entry(2)], study, slots(engine, "study")) == [None, an_entry(1), an_entry(2)]


def test_several_workers_run_each_entry_once(url: str, engine: Engine) -> None:
    from threading import Thread

    search = listed(12)
    study = open_study(open_optuna(url), search)

    def help_out(name: str) -> None:
        own = optuna.load_study(study_name=search.name, storage=open_optuna(url))
        work(own, search, TrialClaims(engine, search.name, this_process(name)), formula, lambda: None)

    threads = [Thread(target=help_out, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entries(study)) == sorted(f"trial {i}" for i in range(12))
