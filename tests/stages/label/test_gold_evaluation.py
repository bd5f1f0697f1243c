"""A labeller evaluated on gold: weighted, calibrated on one half and reported on the other."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from stages.datasets.pseudo_labels import sampled
from stages.datasets.run_data import RunData
from stages.label.run_label import run_label
from tests.helpers.labelling_project import Labels, boasting, make_labelling, opened, truth_of
from transfer.metrics.bootstrap import bootstrap_interval


def test_agreement_is_weighted_by_golds_weights_and_reported_per_label(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path), "pseudo_label.calibrate=none")
    printed, gold = run_label(run).as_json(), RunData(run).gold
    assert gold is not None
    assert gold.report.weights is not None
    said = np.array([int(np.argmax(boasting(text))) for text in gold.report.texts])
    names: tuple[Literal["accuracy", "macro_f1"], ...] = ("accuracy", "macro_f1")
    for name in names:
        value, *_ = bootstrap_interval(name, said, gold.report.labels, 3, seed=13, weights=gold.report.weights)
        assert printed[name] == pytest.approx(value)
    expected = bootstrap_interval("kappa", said, gold.report.labels, 3, seed=13, weights=gold.report.weights)
    assert tuple(printed["kappa"].values()) == pytest.approx(expected)
    assert set(printed["per_class"]) == {"anger", "joy", "sadness"}
    assert np.sum(printed["confusion"]) == printed["gold_n"] == len(gold.report)
    right = np.average(said == gold.report.labels, weights=gold.report.weights)
    assert printed["reliability"]["ece"] == pytest.approx(0.98 - right)
    assert printed["calibration"] is None


def test_an_overconfident_labeller_is_calibrated_on_tune_alone(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path))
    printed = run_label(run).as_json()
    assert printed["calibration"]["kind"] == "temperature"
    before, after = printed["calibrated"]["before"], printed["calibrated"]["after"]
    assert after["log_loss"] < before["log_loss"]
    assert after["ece"] < before["ece"] / 2
    assert after["ece"] == printed["reliability"]["ece"]
    assert after["kappa"] == printed["kappa"]


def test_unknown_confidence_is_counted_and_never_made_up(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(lambda text: truth_of(text) if int(text.split()[1]) % 2 else boasting(text))
    run = opened(make_labelling(tmp_path), "pseudo_label.calibrate=bias")
    result = run_label(run)
    printed = result.as_json()
    assert 0 < printed["unknown_confidence"] < printed["gold_n"]
    assert printed["reliability"]["n"] == printed["gold_n"] - printed["unknown_confidence"]
    read = sampled(run, result, RunData(run).gold)
    odd = np.array([int(text.split()[1]) % 2 == 1 for text in read.texts])
    assert np.isnan(read.probabilities[odd]).all()
    assert (read.label[odd] == [truth_of(text) for text, is_odd in zip(read.texts, odd, strict=True) if is_odd]).all()
    assert not np.isnan(read.probabilities[~odd]).any()


def test_a_labeller_without_any_confidence_has_agreement_alone(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(truth_of)
    printed = run_label(opened(make_labelling(tmp_path))).as_json()
    assert printed["kappa"]["value"] == 1
    assert (printed["reliability"], printed["calibration"], printed["calibrated"]) == (None, None, None)


def test_a_small_gold_calibrates_nothing_by_itself(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    assert run_label(opened(make_labelling(tmp_path, gold=60))).calibration is None
