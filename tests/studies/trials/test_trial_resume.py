"""What a trial keeps between its epochs, and its seeds."""

from dataclasses import replace

from studies.trials.trial_resume import seeds_of
from studies.trials.trial_task import TrialTask


def test_several_seeds_are_the_same_for_all_trials_a_single_one_is_not(task: TrialTask) -> None:
    several = replace(task, seeds=3)
    assert len(set(seeds_of(several, 0))) == 3
    assert seeds_of(several, 0) == seeds_of(several, 7)
    assert seeds_of(task, 0) != seeds_of(task, 7)
