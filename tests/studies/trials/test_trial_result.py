"""Models that know one label only: found, noted, and after several in a row the search stops."""

from collections.abc import Callable

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray

from studies.trials.heartbeat import Heartbeat
from studies.trials.trial_result import COLLAPSED_IN_A_ROW, TrialEnd, collapsed_to
from tests.helpers.formula_search import RunIt, a_search, formula
from tests.helpers.tiny_encoders import LABELS
from transfer.errors import UserError


def probabilities_for(given: list[int]) -> NDArray[np.float32]:
    return np.eye(3, dtype=np.float32)[given] * 0.5 + 0.1


def test_one_label_for_all_is_a_collapse_unless_the_truth_is_so() -> None:
    several, one = np.array([0, 1, 2, 1]), np.array([1, 1, 1, 1])
    assert collapsed_to(probabilities_for([1, 1, 1, 1]), several, LABELS) == "joy"
    assert collapsed_to(probabilities_for([1, 1, 1, 1]), one, LABELS) is None
    assert collapsed_to(probabilities_for([1, 1, 2, 1]), several, LABELS) is None


def collapsing(is_so: Callable[[int], bool], *, pruned: Callable[[int], bool] = lambda number: False) -> object:
    def trial(trial: optuna.Trial, heartbeat: Heartbeat) -> TrialEnd:
        ended = formula(trial, heartbeat)
        if pruned(trial.number):
            return TrialEnd(ended.value, is_pruned=True)
        if is_so(trial.number):
            trial.set_user_attr("collapsed", "joy")
            trial.set_user_attr("reason", "collapsed: every validation text is given 'joy'")
        return TrialEnd(ended.value, is_pruned=False)

    return trial


def test_collapsed_trials_count_and_the_sampler_learns_from_them(run_it: RunIt) -> None:
    study = run_it(a_search(pruner="none"), collapsing(lambda number: number in {1, 2, 4}))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 6


def test_five_in_a_row_stop_the_search_and_say_why(run_it: RunIt) -> None:
    with pytest.raises(UserError, match="last 5 trials give every text the same label: joy"):
        run_it(a_search(trials=12, pruner="none"), collapsing(lambda number: number > 1))
    with pytest.raises(UserError):  # gone on with, it stops at once where it collapses again
        run_it(a_search(trials=12, pruner="none"), collapsing(lambda number: number > 1))


def test_pruned_trials_in_between_say_nothing_either_way(run_it: RunIt) -> None:
    search = a_search(name="pruned", trials=20, pruner="none")
    with pytest.raises(UserError, match="same label"):
        run_it(search, collapsing(lambda number: True, pruned=lambda number: number % 2 == 1))
    study = run_it(
        a_search(name="well", trials=20, pruner="none"), collapsing(lambda number: number % COLLAPSED_IN_A_ROW > 0)
    )
    assert len(study.trials) == 20
