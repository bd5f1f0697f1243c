"""Every combination of the plan is compared, chosen and used; trying one takes no inference."""

import json
import shutil
from typing import Any

import numpy as np
import pytest

from stages.console.show_evaluation import show_combinations
from stages.datasets.original_and_gold import read_gold, read_original
from stages.ensemble.run_ensemble import final_predictor, run_ensemble
from stages.final_model.model_card import model_card
from stages.plan.schema import read_plan
from stages.runtime import predictor as models
from stages.runtime.predictor import PredictionCache
from stages.runtime.run_context import Run, open_run
from storage.records import model_registry, stage_records
from tests.helpers.small_project import Project
from transfer.ensembling.combination import COMBINATIONS, FITTED, MEAN
from transfer.metrics.scores import metric_value

EVERY = [f"{how}{calibrated}" for calibrated in ("", ", calibrated") for how in (*COMBINATIONS, *FITTED)]


def opened(project: Project, *overrides: str) -> Run:
    return open_run(read_plan(project.plan, overrides))


@pytest.fixture
def no_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(models, "load_engine", refuse)


@pytest.mark.usefixtures("no_inference")
@pytest.mark.parametrize("how", ["product", "maximum", "minimum", "weighted", "greedy", "stacking", "auto"])
def test_another_combination_takes_no_inference(finished: Project, how: str) -> None:
    told = json.loads(json.dumps(run_ensemble(opened(finished, f"ensemble.combine={how}"))))
    table = {line["combination"]: line for line in told["combinations"]}
    assert list(table) == EVERY == list(told["validation"]) == list(told["target"])
    assert {name for name, line in table.items() if not line["fitted"]} == set(COMBINATIONS)
    if how == "auto":
        uncalibrated = {name: line["value"] for name, line in table.items() if "calibrated" not in name}
        assert table[told["combine"]]["value"] == max(uncalibrated.values())
    else:
        assert told["combine"] == told["mixture"]["how"] == how
    assert told["members"] == list(dict.fromkeys(told["members"]))
    assert 1 <= len(told["members"]) <= 3
    offered = {(name.split("/")[0], name.split("/")[1]) for name in told["values"]}
    assert offered >= {("search", "models-bert"), ("search", "models-roberta")}
    assert "further" in {stage for stage, _ in offered}
    assert len(told["values"]) == 5, "every kept trial is offered"
    assert len(told["diversity"]["pairs"]) == len(told["members"]) * (len(told["members"]) - 1) // 2


@pytest.mark.usefixtures("no_inference")
def test_members_are_calibrated_where_the_plan_says_so(finished: Project) -> None:
    told = run_ensemble(opened(finished, "ensemble.calibrate=temperature"))
    assert told["chosen"] == "ensemble (mean, calibrated of 3)"
    assert len(told["mixture"]["temperatures"]) == 3
    either = run_ensemble(opened(finished, "ensemble.calibrate=auto", "ensemble.combine=auto"))
    assert either["final"]["value"]["ensemble"] == max(line["value"] for line in either["combinations"])


@pytest.mark.usefixtures("no_inference")
@pytest.mark.parametrize("final", ["best", "ensemble"])
def test_the_plan_may_name_what_is_final(finished: Project, final: str) -> None:
    run = opened(finished, f"final={final}")
    told = run_ensemble(run)
    assert told["final"]["kind"] == final
    assert final_predictor(run).members == (told["members"] if final == "ensemble" else [told["best_single"]])


@pytest.mark.usefixtures("no_inference")
def test_an_ensemble_of_one_is_called_the_single_model_that_it_is(
    finished: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    run = opened(finished, "ensemble.top=1", "ensemble.combine=greedy", "final=ensemble")
    told = run_ensemble(run)
    single = told["alone"]
    assert [single] == told["members"] == [told["best_single"]]
    assert told["chosen"] == f"ensemble of one (greedy): {single}"
    assert told["chosen"] in {row["model"] for row in told["rows"]}
    assert final_predictor(run).how == MEAN, "it is exported as one model"
    assert "what came out of that is this single model, and no ensemble" in model_card(run, final_predictor(run), {})
    show_combinations(told)
    shown = capsys.readouterr().out
    assert f"that is the single model {single}: nothing is combined" in shown
    assert "they are the same model" in shown
    assert "which is better" not in shown
    several = run_ensemble(opened(finished))
    assert several["alone"] is None
    assert "no ensemble" not in model_card(run, final_predictor(opened(finished, "final=ensemble")), {})


def test_the_gain_is_told_with_its_interval_where_nothing_was_chosen(finished: Project) -> None:
    told = finished.json("ensemble", "plan.yaml")
    assert set(told["gain"]) == {"gold report", "test"}
    for gain in told["gain"].values():
        for name in ("accuracy", "macro_f1", "log_loss"):
            assert gain[name]["low"] <= gain[name]["value"] <= gain[name]["high"]
        assert gain["better"] is (gain["macro_f1"]["low"] > 0)
    final = told["judged"]["test"]
    assert final["intervals"]["brier"]["value"] == pytest.approx(final["brier"])
    rows = {row["model"]: row for row in told["rows"] if row["split"] == "test"}
    ensemble = next(row for name, row in rows.items() if name == told["chosen"])
    single = next(row for name, row in rows.items() if told["best_single"] in name)
    difference = ensemble["macro_f1"] - single["macro_f1"]
    assert told["gain"]["test"]["macro_f1"]["value"] == pytest.approx(difference)


def test_where_all_rows_chose_the_gain_is_told_and_nothing_claimed(
    finished: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    told = finished.json("ensemble", "plan.yaml")
    gain = told["gain_on_validation"]["accuracy"]
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert "better" not in told["gain_on_validation"]
    show_combinations(told)
    assert "nothing is claimed" not in capsys.readouterr().out
    show_combinations({**told, "gain": {}})
    shown = capsys.readouterr().out
    assert "ensemble less best single on validation: accuracy" in shown
    assert "these rows chose both and taught what is fitted, so nothing is claimed" in " ".join(shown.split())
    assert "better, as its interval tells" not in shown


def test_what_a_trial_said_lies_beside_its_weights_and_is_believed(finished: Project, no_inference: None) -> None:
    run = opened(finished)
    shutil.rmtree(run.cache)
    gold = read_gold(run)
    assert gold is not None
    original = read_original(run.plan, {*gold.tune.keys, *gold.report.keys})
    texts = {"validation": original.validation.texts, "target": gold.tune.texts}
    contents = {"validation": original.validation.fingerprint, "target": gold.tune.fingerprint}
    readings = PredictionCache(run, texts, contents)
    for record in model_registry.models(run.engine, run.plan.name):
        said = readings.of(record, "validation")
        assert metric_value("macro_f1", said, original.validation.labels) == pytest.approx(record.metrics["macro_f1"])
        if record.stage == "further":
            assert readings.of(record, "target").shape == (len(gold.tune), 3)


def test_what_was_said_of_other_rows_is_not_believed(finished: Project, no_inference: None) -> None:
    run = opened(finished)
    shutil.rmtree(run.cache)
    original = read_original(run.plan)
    record = model_registry.models(run.engine, run.plan.name)[0]
    readings = PredictionCache(run, {"validation": original.validation.texts}, {"validation": "of others"})
    with pytest.raises(AssertionError, match="a model was loaded"):
        readings.of(record, "validation")


@pytest.mark.parametrize("how", ["greedy", pytest.param("stacking", marks=pytest.mark.slow)])
def test_what_was_fitted_is_what_predicts(finished: Project, how: str) -> None:
    plain = final_predictor(opened(finished), "ensemble").fingerprint
    words = ("--set", f"ensemble.combine={how}", "--set", "final=ensemble", "--set", "ensemble.calibrate=temperature")
    finished.json("ensemble", "plan.yaml", *words)
    run = opened(finished, f"ensemble.combine={how}", "final=ensemble", "ensemble.calibrate=temperature")
    predictor = final_predictor(run)
    texts = ["so furious and angry", "what a lovely happy day"]
    apart = [engine.probabilities(texts) for engine in predictor.engines]
    np.testing.assert_array_equal(predictor.probabilities(texts), predictor.how.apply(apart))
    told = finished.json("predict", "plan.yaml", *texts, *words)
    expected = predictor.probabilities(texts)[0].tolist()
    assert list(told["predictions"][0]["probabilities"].values()) == pytest.approx(expected)
    assert predictor.fingerprint != plain


@pytest.mark.parametrize("more", [0.0, -0.01])
def test_the_distilled_model_is_final_where_it_is_at_least_as_good(finished: Project, more: float) -> None:
    run = opened(finished, "distil={encoder: models/bert}")
    told = run_ensemble(run)
    final, kept = told["final"], model_registry.models(run.engine, run.plan.name)
    name = next(record.name for record in kept if record.name != told["best_single"])  # stands for the distilled one
    stage_records.begin(run.engine, "small", "distil", "made", {})
    value = final["value"][final["kind"]] + more
    stage_records.finish(run.engine, "small", "distil", 0.0, {"winner": {"name": name, "value": value}})
    assert (final_predictor(run).name == name) is (more == 0)


def test_a_kept_model_predicts_by_its_name(finished: Project) -> None:
    run = opened(finished)
    name = model_registry.models(run.engine, run.plan.name)[-1].name
    assert final_predictor(run, model=name).members == [name]
