"""A study stops beginning trials when its time is up, for all of its workers, and goes on when it is run again."""

import optuna
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.process_identity import this_process
from studies.optuna_storage import open_optuna
from studies.trials.trial_result import TrialEnd
from studies.workers.time_limit import TimeLimit
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import RunIt, a_search, formula, outcome


class Clock:
    """Seconds that pass only when a trial takes them."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_no_trial_begins_after_the_limit_and_the_running_one_is_finished(
    url: str, engine: Engine, run_it: RunIt
) -> None:
    whole = outcome(run_it(a_search(name="whole")))
    clock, search = Clock(), a_search(name="cut")
    study = open_study(open_optuna(url), search)

    def slow(trial: optuna.Trial, _: object) -> TrialEnd:
        clock.seconds += 40
        return formula(trial)

    counts = []
    for _ in range(3):
        limit = TimeLimit(study, 60, leads=True, now=clock)
        work(study, search, TrialClaims(engine, search.name, this_process()), slow, lambda: None, limit.is_over)
        assert {trial.state for trial in study.trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
        counts.append(len(study.trials))
        clock.seconds += 500
    assert counts == [2, 4, 6]  # each run has a limit of its own
    assert outcome(study) == whole


def test_workers_stop_with_the_leader_whenever_they_joined() -> None:
    study, clock = optuna.create_study(), Clock()
    leader = TimeLimit(study, 60, leads=True, now=clock)
    clock.seconds += 50
    late = TimeLimit(study, None, leads=False, now=clock)
    assert (leader.is_over(), late.is_over()) == (False, False)
    clock.seconds += 10
    assert (leader.is_over(), late.is_over()) == (True, True)
    clock.seconds += 100
    assert TimeLimit(study, None, leads=False, since=1000.0, now=clock).is_over()  # joins when the time is up
    # joins the next run, whose leader has not set its moment yet
    early = TimeLimit(study, 60, leads=False, since=clock(), now=clock)
    assert not early.is_over()
    again = TimeLimit(study, None, leads=True, now=clock)
    assert (again.is_over(), early.is_over()) == (False, False)
