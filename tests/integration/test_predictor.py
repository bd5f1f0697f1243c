"""Which models classify: what was fitted, what is final, and a kept model by its name."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.ensemble.run_ensemble import run_ensemble
from stages.results.distil_result import DistilResult
from stages.runtime.predictor import final_predictor
from storage.records import model_registry, stage_records
from tests.helpers.small_project import Project, opened

STORED = Path(__file__).parent.parent / "stages" / "results" / "stored_by_0_1_0" / "distil.json"


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
    printed = finished.json("predict", "plan.yaml", *texts, *words)
    expected = predictor.probabilities(texts)[0].tolist()
    assert list(printed["predictions"][0]["probabilities"].values()) == pytest.approx(expected)
    assert predictor.fingerprint != plain


@pytest.mark.parametrize("more", [0.0, -0.01])
def test_the_distilled_model_is_final_where_it_is_at_least_as_good(finished: Project, more: float) -> None:
    run = opened(finished, "distil={encoder: models/bert}")
    result = run_ensemble(run)
    best = result.final.value.ensemble if result.final.kind == "ensemble" else result.final.value.best
    kept = model_registry.models(run.engine, run.plan.name)
    name = next(record.name for record in kept if record.name != result.best_single)  # stands for the distilled one
    distilled = DistilResult.model_validate(json.loads(STORED.read_text(encoding="utf-8")))
    winner = distilled.winner.model_copy(update={"name": name, "value": best + more})
    stage_records.begin(run.engine, "small", "distil", "made", {})
    stored = distilled.model_copy(update={"winner": winner}).as_json()
    stage_records.finish(run.engine, "small", "distil", 0.0, stored)
    assert (final_predictor(run).name == name) is (more == 0)


def test_a_kept_model_predicts_by_its_name(finished: Project) -> None:
    run = opened(finished)
    name = model_registry.models(run.engine, run.plan.name)[-1].name
    assert final_predictor(run, model=name).members == [name]
