"""The order of a study's trials."""

from dataclasses import replace

from studies.ranking import best_distinct
from tests.helpers.enumerated import an_entry, listed
from tests.helpers.formula_search import RunIt


def test_the_best_trials_are_told_apart_by_their_parameters(run_it: RunIt) -> None:
    twins = [an_entry(3), replace(an_entry(3), key="twin"), an_entry(1), an_entry(2)]
    study = run_it(replace(listed(4), queue=twins))
    best = best_distinct(study, 3)
    assert len(best) == 3
    assert len({trial.params["learning_rate"] for trial in best}) == 3
    values = [float(trial.value or 0) for trial in best]
    assert values == sorted(values, reverse=True)
    assert best[0].number == min(t.number for t in study.trials if t.value == best[0].value)
