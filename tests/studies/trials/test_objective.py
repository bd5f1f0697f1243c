"""One trial: what it keeps, says and costs, and that a kill at any point changes none of it."""

import json
import math
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from storage.records import model_registry
from studies.trials import objective
from studies.trials.trial_result import TrialEnd
from studies.trials.trial_resume import remove_ended, remove_old_weights, seeds_of
from studies.trials.trial_task import TrialTask
from tests.helpers.one_trial import LORA, KilledError, Place, RecordingWatcher, killing, variant
from tests.helpers.tiny_encoders import LABELS
from transfer.encoders.model import load_classifier
from transfer.engines.torch_engine import TorchEngine, probabilities_of
from transfer.metrics.scores import score
from transfer.training import checkpoint


def test_a_trials_value_is_its_best_epochs_and_so_are_its_weights(task: TrialTask, place: Place) -> None:
    heard = RecordingWatcher()
    penalties = iter([5.0, 0.0, 5.0])
    ended = place.run(replace(task, value=lambda given: next(penalties) + task.value(given)), heard)
    values = [value for _, value in heard.epochs]
    assert ended == TrialEnd(values[1], is_pruned=False)
    assert min(values) == values[1]
    assert place.attributes["best_epoch"] == 2
    exam = task.exams["validation"]
    probabilities = probabilities_of(TorchEngine(place.kept).model, exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value, abs=1e-12)


def test_beside_kept_weights_stands_all_that_made_them(task: TrialTask, place: Place) -> None:
    place.run(variant(task, LORA))
    beside = json.loads((place.kept / "moodline.json").read_text(encoding="utf-8"))
    assert beside["recipe"]["method"] == "lora"
    assert beside["recipe"] | LORA == beside["recipe"]
    assert set(beside["metrics"]["per_class"]) == set(LABELS)
    assert [epoch["number"] for epoch in beside["metrics"]["curve"]] == [1, 2, 3]
    curve, best = beside["metrics"]["curve"], beside["metrics"]["best_epoch"]
    assert all(epoch["seconds"] > 0 and epoch["loss"] > 0 for epoch in curve)
    assert curve[best - 1]["validation_loss"] == pytest.approx(beside["metrics"]["log_loss"])
    lineage = beside["lineage"]
    assert lineage["parts"] == {"original.train (content)": "c0ffee"}
    assert lineage["seeds"] == [lineage["seed"]] == list(seeds_of(task, 0))
    assert {"moodline", "torch", "transformers", "peft", "safetensors", "optuna"} <= set(lineage["versions"])


def test_a_model_kept_from_adapters_is_a_plain_one(task: TrialTask, place: Place) -> None:
    ended = place.run(variant(task, LORA))
    exam = task.exams["validation"]
    model = load_classifier(place.kept, LABELS, seed=1)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]
    probabilities = probabilities_of(model, exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value, abs=1e-12)


def test_a_trial_of_short_epochs_writes_no_checkpoint_and_killed_ends_like_one_that_ran_through(
    task: TrialTask, place: Place, another: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.trials.objective.EPOCH_SECONDS", math.inf)
    monkeypatch.setattr(
        "studies.trials.trial_resume.save_checkpoint", killing("studies.trials.trial_resume.save_checkpoint", "before")
    )
    expected = another.run(task)
    with monkeypatch.context() as patch:
        patch.setattr("studies.trials.objective._result", killing("studies.trials.objective._result", "before"))
        with pytest.raises(KilledError):
            place.run(task)
    heard = RecordingWatcher()
    assert place.run(task, heard) == expected
    assert not heard.trials  # nothing was trained again: behind the last epoch its notes were written
    assert place.outcome() == another.outcome()


def test_weights_of_an_epoch_that_the_checkpoint_does_not_name_are_never_kept(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU an epoch that is run again may come out otherwise: what was saved for it must not be published."""
    with monkeypatch.context() as patch:
        calls = count()
        save = checkpoint.save_checkpoint

        def killed_in_epoch_2(*args: Any) -> None:
            if next(calls) == 1:
                raise KilledError
            save(*args)

        patch.setattr("studies.trials.trial_resume.save_checkpoint", killed_in_epoch_2)
        with pytest.raises(KilledError):
            place.run(task)
    assert (place.own / "best-0-002").is_dir()
    original = task.value
    worse = replace(task, value=lambda probabilities: 9.0 + original(probabilities))
    ended = place.run(worse)
    assert ended.value < 9
    assert place.attributes["best_epoch"] == 1
    assert place.attributes["log_loss"] == pytest.approx(ended.value)
    exam = task.exams["validation"]
    probabilities = probabilities_of(load_classifier(place.kept, LABELS, seed=1), exam.tokens)
    assert score(probabilities, exam.truth, LABELS).log_loss == pytest.approx(ended.value)


@pytest.mark.parametrize("seeds", [1, 2])
def test_at_rest_a_trial_takes_one_checkpoint_and_its_best_weights(
    task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch, seeds: int
) -> None:
    seen: list[list[str]] = []
    sweep = remove_old_weights

    def look(run: Any) -> None:
        sweep(run)
        seen.append(sorted(path.name for path in place.own.iterdir()))

    monkeypatch.setattr(objective, "remove_old_weights", look)
    place.run(variant(task, seeds=seeds))
    assert len(seen) == 3 * seeds
    assert {len(names) for names in seen} == {2}
    assert {names[1] for names in seen} == {"checkpoint"}
    study = place.study()
    study.tell(0, 0.5)
    remove_ended(study, place.own.parent)
    assert not place.own.exists()


@pytest.mark.parametrize("lost", ["state.safetensors", "state.json", "best"])
def test_a_trial_whose_files_are_damaged_begins_again(
    task: TrialTask, place: Place, another: Place, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    another.run(task)
    with monkeypatch.context() as patch:
        patch.setattr(objective, "_result", killing("studies.trials.objective._result", "before"))
        with pytest.raises(KilledError):
            place.run(task)
    if lost == "best":
        (best,) = place.own.glob("best-*")
        best.rename(place.own / "elsewhere")
    else:
        (place.own / "checkpoint" / lost).write_bytes(b"{")
    place.run(task)
    assert place.outcome() == another.outcome()


def test_several_seeds_make_one_value_and_the_best_of_them_is_kept(task: TrialTask, place: Place, bert: Path) -> None:
    heard = RecordingWatcher()
    ended = place.run(variant(task, {"epochs": 2}, seeds=3), heard)
    best = [min(value for _, value in heard.epochs[2 * k : 2 * k + 2]) for k in range(3)]
    assert ended.value == pytest.approx(np.mean(best))
    assert len(set(best)) == 3
    attributes = place.attributes
    assert attributes["spread"] == pytest.approx(np.std(best, ddof=1))
    assert attributes["kept_value"] == min(best) == pytest.approx(attributes["log_loss"])
    assert attributes["kept_seed"] == best.index(min(best))
    assert place.study().get_trials(deepcopy=False)[0].intermediate_values == {1: best[0], 2: best[1], 3: best[2]}
    assert place.record.value == ended.value
    lineage = place.record.lineage
    assert lineage["seed"] == lineage["seeds"][attributes["kept_seed"]]


def test_a_finished_seed_is_not_run_again(task: TrialTask, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = variant(task, {"epochs": 2}, seeds=2)
    with monkeypatch.context() as patch:
        calls = count()
        save = objective._run_epoch

        def killed_in_seed_2(*args: Any) -> float:
            if next(calls) == 2:
                raise KilledError
            return save(*args)

        patch.setattr(objective, "_run_epoch", killed_in_seed_2)
        with pytest.raises(KilledError):
            place.run(wanted)
    heard = RecordingWatcher()
    place.run(wanted, heard)
    assert [epoch for epoch, _ in heard.epochs] == [1, 2]


def test_with_several_seeds_a_pruner_judges_seed_by_seed(task: TrialTask, place: Place) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)  # whatever is reported is too much
    heard = RecordingWatcher()
    ended = place.run(variant(task, {"epochs": 2}, seeds=3), heard)
    assert ended.is_pruned
    assert len(heard.epochs) == 2  # the first seed's, and no other's
    assert model_registry.models(place.engine, "small") == []


def test_a_pruner_stops_a_single_seed_after_an_epoch(task: TrialTask, place: Place) -> None:
    place.pruner = optuna.pruners.ThresholdPruner(upper=0.0)
    heard = RecordingWatcher()
    assert place.run(task, heard).is_pruned
    assert len(heard.epochs) == 1
    assert "reason" not in place.attributes
