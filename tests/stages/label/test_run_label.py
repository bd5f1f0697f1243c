"""Labelling: answers stored as they came, calibrated when they are read, and a gate before stage two."""

from pathlib import Path

import numpy as np
import pytest

from stages.datasets.pseudo_labels import sampled
from stages.datasets.run_data import RunData
from stages.label.run_label import run_label
from storage.records import stage_records
from storage.records.pseudo_labels import labels_of
from tests.helpers.labelling_project import Labels, boasting, make_labelling, opened
from transfer.errors import UserError
from transfer.metrics.temperature_scaling import calibration_from


def test_stage_two_reads_calibrated_labels_and_the_store_keeps_them_raw(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path))
    result, gold = run_label(run), RunData(run).gold
    read = sampled(run, result, gold)
    stored = {row.key: row for row in labels_of(run.engine, "stub")}
    raw = np.array([stored[key].probabilities for key in read.keys])
    assert set(np.unique(raw)) == {0.01, 0.98}
    assert read.probabilities == pytest.approx(calibration_from(result.as_json()["calibration"]).apply(raw), abs=1e-6)
    assert read.probabilities.max() < 0.95
    plain = sampled(run, run_label(opened(tmp_path / "plan.yaml", "pseudo_label.calibrate=none")), gold)
    assert plain.probabilities == pytest.approx(raw)


def test_another_calibration_asks_nothing_again(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(boasting)
    run_label(opened(make_labelling(tmp_path)))
    asked = len(stub.asked)
    printed = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.calibrate=batch"))
    assert printed.as_json()["calibration"]["kind"] == "batch"
    assert len(stub.asked) == asked == 300


def test_the_gate_stops_before_stage_two_and_keeps_the_labels(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path), "pseudo_label.min_kappa=0.9")
    with pytest.raises(UserError, match=r"at kappa 0\.\d\d, 0\.9 is asked for"):
        run_label(run)
    assert sum(1 for _ in labels_of(run.engine, "stub")) == 300
    record = stage_records.read(run.engine, "small", "label")
    assert record is not None
    assert record.state == "failed"
    assert "min_kappa" in (record.message or "")
