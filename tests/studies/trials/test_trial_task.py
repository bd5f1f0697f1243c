"""The weights that a trial begins with."""

from dataclasses import replace

from studies.trials.trial_task import TrialTask


def test_a_trial_begins_with_the_weights_that_its_parameter_names(task: TrialTask) -> None:
    several = replace(task, starts={0: "models/best", 2: "models/third"})
    assert several.start_of({"start": 2}) == "models/third"
    assert several.start_of({}) == "models/best"
    assert several.start_of({"start": 1}) == task.start
    assert task.start_of({"start": 0}) == task.start
