"""Labelling: measured against people, calibrated on one half of gold and judged on the other, stored as it came."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from stages.datasets.original_and_gold import read_gold
from stages.label.run_label import run_label, sampled
from storage.records.pseudo_labels import labels_of
from tests.helpers.labelling_project import boasting, make_labelling, opened, truth_of
from tests.stages.conftest import Labels
from transfer.errors import UserError
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.temperature_scaling import calibration_from


def test_agreement_is_weighted_by_golds_weights_and_told_per_label(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path), "pseudo_label.calibrate=none")
    told, gold = run_label(run), read_gold(run)
    assert gold is not None
    assert gold.report.weights is not None
    said = np.array([int(np.argmax(boasting(text))) for text in gold.report.texts])
    names: tuple[Literal["accuracy", "macro_f1"], ...] = ("accuracy", "macro_f1")
    for name in names:
        value, *_ = bootstrap_interval(name, said, gold.report.labels, 3, seed=13, weights=gold.report.weights)
        assert told[name] == pytest.approx(value)
    expected = bootstrap_interval("kappa", said, gold.report.labels, 3, seed=13, weights=gold.report.weights)
    assert tuple(told["kappa"].values()) == pytest.approx(expected)
    assert set(told["per_class"]) == {"anger", "joy", "sadness"}
    assert np.sum(told["confusion"]) == told["gold_n"] == len(gold.report)
    right = np.average(said == gold.report.labels, weights=gold.report.weights)
    assert told["reliability"]["ece"] == pytest.approx(0.98 - right)
    assert told["calibration"] is None


def test_a_boasting_labeller_is_calibrated_on_tune_and_judged_on_report(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path))
    told = run_label(run)
    assert told["calibration"]["kind"] == "temperature"
    before, after = told["calibrated"]["before"], told["calibrated"]["after"]
    assert after["log_loss"] < before["log_loss"]
    assert after["ece"] < before["ece"] / 2
    assert after["ece"] == told["reliability"]["ece"]
    assert after["kappa"] == told["kappa"]


def test_stage_two_reads_calibrated_labels_and_the_store_keeps_them_raw(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path))
    told, gold = run_label(run), read_gold(run)
    read = sampled(run, told, gold)
    stored = {row.key: row for row in labels_of(run.engine, "stub")}
    raw = np.array([stored[key].probabilities for key in read.keys])
    assert set(np.unique(raw)) == {0.01, 0.98}
    assert read.probabilities == pytest.approx(calibration_from(told["calibration"]).apply(raw), abs=1e-6)
    assert read.probabilities.max() < 0.95
    plain = sampled(run, run_label(opened(tmp_path / "plan.yaml", "pseudo_label.calibrate=none")), gold)
    assert plain.probabilities == pytest.approx(raw)


def test_unknown_confidence_is_counted_and_never_made_up(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(lambda text: truth_of(text) if int(text.split()[1]) % 2 else boasting(text))
    run = opened(make_labelling(tmp_path), "pseudo_label.calibrate=bias")
    told = run_label(run)
    assert 0 < told["unknown_confidence"] < told["gold_n"]
    assert told["reliability"]["n"] == told["gold_n"] - told["unknown_confidence"]
    read = sampled(run, told, read_gold(run))
    odd = np.array([int(text.split()[1]) % 2 == 1 for text in read.texts])
    assert np.isnan(read.probabilities[odd]).all()
    assert (read.label[odd] == [truth_of(text) for text, is_odd in zip(read.texts, odd, strict=True) if is_odd]).all()
    assert not np.isnan(read.probabilities[~odd]).any()


def test_a_labeller_without_any_confidence_has_agreement_alone(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(truth_of)
    told = run_label(opened(make_labelling(tmp_path)))
    assert told["kappa"]["value"] == 1
    assert (told["reliability"], told["calibration"], told["calibrated"]) == (None, None, None)


def test_a_small_gold_calibrates_nothing_by_itself(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    assert run_label(opened(make_labelling(tmp_path, gold=60)))["calibration"] is None


def test_another_calibration_asks_nothing_again(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(boasting)
    run_label(opened(make_labelling(tmp_path)))
    asked = len(stub.asked)
    told = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.calibrate=batch"))
    assert told["calibration"]["kind"] == "batch"
    assert len(stub.asked) == asked == 300


def test_the_gate_stops_before_stage_two_and_keeps_the_labels(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    run = opened(make_labelling(tmp_path), "pseudo_label.min_kappa=0.9")
    with pytest.raises(UserError, match=r"at kappa 0\.\d\d, 0\.9 is asked for"):
        run_label(run)
    assert sum(1 for _ in labels_of(run.engine, "stub")) == 300


def test_the_sample_is_spread_and_the_result_tells_how_it_was_drawn(tmp_path: Path, labels_by: Labels) -> None:
    labels_by(boasting)
    told = run_label(opened(make_labelling(tmp_path)))["drawn"]
    assert (told["choose"], told["languages"], told["by"]) == ("stratified", None, {"stratified": 100})
    assert len(told["strata"]) == 20  # six slices of time, three sources and the rest; not all meet
    assert max(told["strata"].values()) - min(told["strata"].values()) <= 4
    again = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.choose=random"))["drawn"]
    assert (again["by"], again["strata"]) == ({"random": 100}, {"all": 100})


def test_floods_and_other_languages_are_not_labelled(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(truth_of)
    plan = make_labelling(tmp_path)
    with (tmp_path / "comments.csv").open("a", encoding="utf-8") as file:
        for i in range(50):
            file.write(f"f{i},mood1 {i} subscribe and win a present today!,2024-03-05T12:00:00Z,v1\n")
        file.write("k,오늘 정말 즐거운 하루였어요 mood1,2024-03-05T12:00:00Z,v1\n")
    more = ("pseudo_label.languages=[en]", "pseudo_label.sample=1000", "gold=null")
    told = run_label(opened(plan, *more))
    assert told["labelled"] == 401
    assert sum("subscribe" in text for text in stub.asked) == 1
    assert told["drawn"]["left_out"] == {"duplicate": 49, "other language": 1}
    assert run_label(opened(plan, *more))["labelled"] == 401  # asked for more than there are, and no flood let in


def test_a_larger_sample_keeps_the_smaller_one(tmp_path: Path, labels_by: Labels) -> None:
    stub = labels_by(boasting)
    run_label(opened(make_labelling(tmp_path)))
    first = set(stub.asked)
    told = run_label(opened(tmp_path / "plan.yaml", "pseudo_label.sample=150"))
    assert told["labelled"] == 150
    assert len(stub.asked) == 350
    assert not first & set(stub.asked[300:])


class Doubtful:
    """Stage one's winner as the choosing knows it: sure of all texts but those of one mood."""

    members = ("winner",)

    def probabilities(self, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        unsure, sure = (0.4, 0.35, 0.25), (0.9, 0.05, 0.05)
        return np.array([unsure if truth_of(text) == 2 else sure for text in texts], dtype=np.float32)


def test_what_stage_one_doubts_is_labelled_where_the_plan_says_so(
    tmp_path: Path, labels_by: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels_by(boasting)
    monkeypatch.setattr("stages.label.sample_selection.stage_one_winner", lambda run: Doubtful())
    plan = make_labelling(tmp_path, gold=60)
    run = opened(plan, "pseudo_label.choose=uncertain", "pseudo_label.sample=50")
    read = sampled(run, run_label(run), read_gold(run))
    assert [truth_of(text) for text in read.texts] == [2] * 50
    run = opened(plan, "pseudo_label.choose=mixed", "pseudo_label.sample=50")
    told = run_label(run)
    assert told["drawn"]["by"] == {"stratified": 25, "uncertain": 25}
    moods = [truth_of(text) for text in sampled(run, told, read_gold(run)).texts]
    assert moods[1::2] == [2] * 25
    assert 0 < sum(mood == 2 for mood in moods[::2]) < 20
