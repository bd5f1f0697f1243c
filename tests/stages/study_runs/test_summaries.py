"""What a study came to: trials by state, best and baseline, failures, and a time limit that ended it."""

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from stages.results.study_results import MeasuredWinner, SearchResult, StudySummary
from stages.runtime.run_context import Run
from stages.study_runs.summaries import stopped, summary, winner_of, with_path

FIGURES = {"accuracy": 0.7, "macro_f1": 0.6, "weighted_f1": 0.65, "confusion": [[8, 2], [4, 6]]}


@pytest.fixture
def study() -> optuna.Study:
    study = optuna.create_study(study_name="small · search · bert", direction="maximize")
    study.set_user_attr("candidate", "bert")
    study.add_trial(create_trial(value=0.5, user_attrs={"baseline": True, **FIGURES}))
    study.add_trial(create_trial(value=0.6, user_attrs={"moved": "epochs 9 to 5", **FIGURES}))
    study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"reason": "no room"}))
    study.add_trial(create_trial(state=TrialState.PRUNED))
    study.add_trial(create_trial(state=TrialState.RUNNING))
    return study


def test_trials_are_counted_and_best_and_baseline_shown_with_intervals(study: optuna.Study) -> None:
    found = summary(study, target=20)
    counts = (found.complete, found.pruned, found.failed, found.running, found.waiting)
    assert (counts, found.target, found.candidate) == ((2, 1, 1, 1, 0), 20, "bert")
    assert found.best is not None
    assert found.baseline is not None
    assert (found.best.trial, found.best.moved, found.baseline.trial) == (1, "epochs 9 to 5", 0)
    assert found.best.intervals is not None
    assert found.best.intervals["accuracy"].low < 0.7 < found.best.intervals["accuracy"].high
    assert [(failure.trial, failure.state, failure.reason) for failure in found.failures] == [(2, "fail", "no room")]
    study.set_user_attr("budget", 5)
    assert summary(study, target=20).target == 5


def test_a_winner_is_named_after_its_stage_candidate_and_trial(study: optuna.Study) -> None:
    best = summary(study, 2).best
    assert best is not None
    found = winner_of("search", "klue/bert", study.study_name, best)
    assert (found.name, found.trial, found.value) == ("search/klue-bert/trial-1", 1, 0.6)


def test_a_search_that_its_time_limit_ended_names_the_command_that_goes_on(
    study: optuna.Study, a_run: Callable[..., Run]
) -> None:
    run, short = a_run(), summary(study, target=20)
    found = stopped(run, "search", [short], timeout=90.0)
    assert found is not None
    assert "after 3 of 20 trials of bert; go on with: moodline search plan.yaml" in found.message
    assert stopped(run, "search", [short], timeout=None) is None
    assert stopped(run, "search", [summary(study, target=3)], timeout=90.0) is None
    other = StudySummary.model_validate(short.model_dump() | {"what": "fit again on all rows"})
    assert stopped(run, "search", [other], timeout=90.0) is None


def test_a_model_that_is_not_kept_has_no_path(a_run: Callable[..., Run]) -> None:
    winner = MeasuredWinner(
        candidate="bert", study="small · search · bert", trial=1, value=0.5, name="search/bert/trial-1"
    )
    assert with_path(a_run(), SearchResult(studies=[], winner=winner, rows=[])).winner.path is None
