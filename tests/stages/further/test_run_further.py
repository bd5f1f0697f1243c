"""Stage two begins where it is told, stands beside its controls, and is called better only where gold says so."""

from pathlib import Path

import numpy as np
import optuna
import pytest
from sklearn.metrics import f1_score

from stages.datasets.run_data import RunData
from stages.further.further_inputs import further_inputs
from stages.further.run_further import run_further
from stages.label.run_label import run_label
from stages.reports.run_status import run_status
from stages.runtime.run_context import store_url
from stages.search.run_search import run_search
from storage.records import model_registry
from studies.optuna_storage import open_optuna
from tests.helpers.searched_project import files_of, opened, without_gold

pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_figure_of_either_search_has_its_interval(further: Path) -> None:
    run = opened(further)
    first, second = run_search(run).as_json(), run_further(run).as_json()
    for result in (first, second):
        winner = result["winner"]
        assert winner["interval"]["low"] <= winner["interval"]["value"] <= winner["interval"]["high"]
        assert winner["interval"]["value"] == pytest.approx(winner["value"])
        for row in result["rows"]:
            for name in ("accuracy", "macro_f1", "weighted_f1"):
                assert row["intervals"][name]["low"] <= row[name] <= row["intervals"][name]["high"]
            assert row["low"] == row["intervals"]["macro_f1"]["low"]
    assert second["rounds"][0]["interval"] == second["winner"]["interval"]
    for study in run_status(run.plan).as_json()["studies"]:
        for trial in filter(None, (study["best"], study["baseline"])):
            assert trial["intervals"]["macro_f1"]["value"] == pytest.approx(trial["scores"]["macro_f1"])


def test_the_epoch_that_is_kept_is_the_best_by_that_figure(further: Path) -> None:
    run = opened(further)
    gold, record = (
        RunData(run).gold,
        model_registry.get(run.engine, "small", run_further(run).as_json()["winner"]["name"]),
    )
    assert gold is not None
    assert record is not None
    assert record.value == max(epoch["value"] for epoch in record.metrics["curve"])
    said = np.load(run.files.fetch(record.path) / "probabilities" / "target.npy").argmax(axis=1)
    start = further_inputs(run).starts[0].metrics["macro_f1"]
    lost = max(start - 0.02 - record.metrics["macro_f1"], 0)
    assert record.value == pytest.approx(f1_score(gold.tune.labels, said, average="macro") - lost)


def test_without_gold_the_winner_is_warned_of_and_no_verdict_given(searched: Path) -> None:
    plan = without_gold(searched)
    run = opened(plan, "further.trials=1")
    run_search(run)
    run_label(run)
    result = run_further(run).as_json()
    assert result["against_stage_one"] is None
    assert result["target"] == "pseudo-labels"
    assert any("not how right those are" in warning for warning in result["warnings"])
    assert {found["verdict"] for found in result["comparisons"]} == {None}
    assert "held-out pseudo-labels" in {row["split"] for row in result["rows"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "space",
    [
        "confidence_by: label, confidence: 0.3",
        "label_temperature: {low: 0.5, high: 2, log: true}, pseudo_weight: 0.5",
        "anchor: {low: 1e-3, high: 1, log: true}, rebalance: {choices: [0.5, 1]}",
        "replay: fresh, loss: {choices: [generalised, symmetric]}, loss_q: {value: 0.5, when: {loss: generalised}}",
        "frozen_layers: {low: 0, high: 2}, class_weighting: {choices: [none, balanced]}",
        "loss: bootstrap, confidence: {low: 0.0, high: 0.5}",
    ],
)
def test_every_option_of_the_space_is_searched_and_kept_with_the_model(searched: Path, space: str) -> None:
    import yaml

    run = opened(searched, f"further.space={{learning_rate: 3e-3, label_softness: 1.0, {space}}}")
    result = run_further(run).as_json()
    record = model_registry.get(run.engine, "small", result["winner"]["name"])
    assert record is not None
    assert set(yaml.safe_load(f"{{{space}}}")) <= {*record.recipe, "loss_q"}
    assert result["against_stage_one"]["difference"] > 0


@pytest.mark.slow
def test_stage_two_is_searched_in_every_way_that_stage_one_is(searched: Path) -> None:
    ways = ("sampler=random", "pruner=none", "seeds=2", "keep=2", "timeout=60m", "recheck={top: 1, seeds: 2}")
    run = opened(searched, "further.space.learning_rate={low: 1e-3, high: 5e-3}", *(f"further.{way}" for way in ways))
    result = run_further(run).as_json()
    assert {"further.sampler", "further.seeds"} <= set(further_inputs(run).parts)
    assert result["winner"]["fresh"]["n"] == 2
    assert result["stopped"] is None
    kept = model_registry.models(run.engine, "small", stage="further")
    assert len(kept) == 2
    assert all(len(record.lineage["seeds"]) == 2 and record.metrics["spread"] is not None for record in kept)


def test_a_fine_tune_ends_when_its_value_has_not_risen_for_so_long(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened(
        searched, "further.patience=1", "further.trials=1", "further.space.learning_rate=1e-7", "further.space.epochs=5"
    )
    inputs = further_inputs(run)
    assert inputs.parts["further.patience"] == 1
    result = run_further(run).as_json()
    record = model_registry.get(run.engine, "small", result["winner"]["name"])
    assert record is not None
    assert [epoch["number"] for epoch in record.metrics["curve"]] == [1, 2]
    assert record.metrics["best_epoch"] == 1


def test_stage_two_that_is_reset_forgets_its_controls(further: Path) -> None:
    from stages.runtime.reset import reset_stage

    run = opened(further)
    assert files_of(run, "answers")
    reset_stage(run, "further")
    assert not files_of(run, "answers")
    names = optuna.get_all_study_names(open_optuna(store_url(run.plan)))
    assert not [name for name in names if "further" in name]
