"""A trial's epochs: what it is worth, when it has stopped improving, and what a checkpoint keeps of it."""

import json
from pathlib import Path

import pytest

from studies.trials.learning_curve import Epoch, LearningCurve, weights_folder


def epoch(seed: int, number: int, value: float) -> Epoch:
    return Epoch(seed, number, loss=1.0, value=value, learning_rate=1e-5, seconds=2.0)


def test_a_trials_value_is_the_mean_of_its_seeds_best() -> None:
    curve = LearningCurve(True, [epoch(0, 1, 0.5), epoch(0, 2, 0.4), epoch(1, 1, 0.6), epoch(1, 2, 0.7)], spent=1.0)
    assert curve.values == [0.5, 0.7]
    assert curve.value == pytest.approx(0.6)
    assert curve.spread == pytest.approx(0.1414, abs=1e-4)
    assert curve.best().number == 2
    assert curve.best(0).number == 1
    assert curve.seconds == 9.0
    assert LearningCurve(True, [epoch(0, 1, 0.5)]).spread is None


def test_the_smallest_is_best_where_a_study_minimises_and_the_earliest_of_equals() -> None:
    curve = LearningCurve(False, [epoch(0, 1, 0.5), epoch(0, 2, 0.4), epoch(0, 3, 0.4)])
    assert curve.best() == curve.epochs[1]


def test_a_seed_is_stale_once_as_many_epochs_as_allowed_were_no_better() -> None:
    curve = LearningCurve(True, [epoch(0, 1, 0.5), epoch(0, 2, 0.4), epoch(0, 3, 0.5)])
    assert curve.is_stale(0, 2)
    assert not curve.is_stale(0, 3)
    assert not curve.is_stale(0, None)
    assert not curve.is_stale(1, 0)


def test_what_a_checkpoint_notes_is_gone_on_with() -> None:
    curve = LearningCurve(True, [epoch(0, 1, 1 / 3)], seed=1, spent=0.25, is_pruned=True)
    again = LearningCurve(True)
    again.resume(json.loads(json.dumps(curve.notes())))
    assert again == curve


def test_each_epochs_weights_have_a_folder_of_their_own() -> None:
    folders = {weights_folder(Path("own"), epoch(seed, number, 0.0)) for seed in (0, 1) for number in (1, 11)}
    assert len(folders) == 4
