"""A trial's own predictions are used where they are of the very same rows; else the model is loaded."""

import shutil

import pytest

from stages.datasets.original_and_gold import read_original
from stages.datasets.run_data import RunData
from stages.runtime.prediction_cache import PredictionCache
from storage.records import model_registry
from tests.helpers.small_project import Project, opened
from transfer.metrics.scores import metric_value


@pytest.mark.usefixtures("no_inference")
def test_a_trials_predictions_are_kept_with_its_weights_and_used(finished: Project) -> None:
    run = opened(finished)
    shutil.rmtree(run.cache)
    gold = RunData(run).gold
    assert gold is not None
    original = read_original(run.plan, {*gold.tune.keys, *gold.report.keys})
    texts = {"validation": original.validation.texts, "target": gold.tune.texts}
    contents = {"validation": original.validation.fingerprint, "target": gold.tune.fingerprint}
    cache = PredictionCache(run, texts, contents)
    for record in model_registry.models(run.engine, run.plan.name):
        predictions = cache.of(record, "validation")
        assert metric_value("macro_f1", predictions, original.validation.labels) == pytest.approx(
            record.metrics["macro_f1"]
        )
        if record.stage == "further":
            assert cache.of(record, "target").shape == (len(gold.tune), 3)


@pytest.mark.usefixtures("no_inference")
def test_predictions_of_other_rows_are_not_used(finished: Project) -> None:
    run = opened(finished)
    shutil.rmtree(run.cache)
    original = read_original(run.plan)
    record = model_registry.models(run.engine, run.plan.name)[0]
    cache = PredictionCache(run, {"validation": original.validation.texts}, {"validation": "of others"})
    with pytest.raises(AssertionError, match="a model was loaded"):
        cache.of(record, "validation")
