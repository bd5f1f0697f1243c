"""Stage two begins where it is told, stands beside its controls, and is called better only where gold says so."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.metrics import f1_score

from stages.datasets.run_data import read_gold
from stages.further.ablation import run_ablation
from stages.further.comparison import FIRST, REPORT, SECOND
from stages.further.further_inputs import further_inputs
from stages.further.further_study import study_of, task_of
from stages.further.run_further import run_further
from stages.label import labeller_ensemble
from stages.label.run_label import run_label
from stages.reports.run_status import run_status
from stages.runtime.run_context import store_url
from stages.search.run_search import run_search
from storage.records import model_registry
from studies.optuna_storage import open_optuna
from studies.trials.objective import run_trial
from tests.helpers.searched_project import KilledError, dying, files_of, labeller, opened, predictions, without_gold
from transfer.encoders.model import load_classifier
from transfer.errors import UserError, UserErrors

pytestmark = pytest.mark.usefixtures("one_thread")
CONTROLS = "small · further · models/bert · controls"


@pytest.fixture(scope="module")
def _further(_searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(_searched.parent, tmp_path_factory.mktemp("further") / "project")
    run_further(opened(folder / "plan.yaml"))
    return folder / "plan.yaml"


@pytest.fixture
def searched(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, its labeller at hand."""
    monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller())
    return searched


@pytest.fixture
def further(_further: Path, tmp_path: Path) -> Path:
    """A plan whose stage two is done, too."""
    return Path(shutil.copytree(_further.parent, tmp_path / "further")) / "plan.yaml"


def test_stage_two_stands_beside_stage_one_and_either_source_alone(further: Path) -> None:
    told = run_further(opened(further)).as_json()
    assert [row["model"] for row in told["rows"] if row["split"] == REPORT] == [
        FIRST,
        "original data only, as many steps",
        "pseudo-labels only, as many steps",
        SECOND,
    ]
    assert all(row["low"] <= row["macro_f1"] <= row["high"] for row in told["rows"] if row["split"] == REPORT)
    assert told["warnings"] == []


def test_every_figure_of_either_search_has_its_interval(further: Path) -> None:
    run = opened(further)
    first, second = run_search(run).as_json(), run_further(run).as_json()
    for told in (first, second):
        winner = told["winner"]
        assert winner["interval"]["low"] <= winner["interval"]["value"] <= winner["interval"]["high"]
        assert winner["interval"]["value"] == pytest.approx(winner["value"])
        for row in told["rows"]:
            for name in ("accuracy", "macro_f1", "weighted_f1"):
                assert row["intervals"][name]["low"] <= row[name] <= row["intervals"][name]["high"]
            assert row["low"] == row["intervals"]["macro_f1"]["low"]
    assert second["rounds"][0]["interval"] == second["winner"]["interval"]
    for study in run_status(run.plan).as_json()["studies"]:
        for trial in filter(None, (study["best"], study["baseline"])):
            assert trial["intervals"]["macro_f1"]["value"] == pytest.approx(trial["scores"]["macro_f1"])


def test_trials_are_judged_by_golds_tune_half_less_what_the_original_loses_beyond_the_plans_tolerance(
    searched: Path,
) -> None:
    run = opened(searched, "further.tolerance=0.1")
    gold, inputs = read_gold(run), further_inputs(run)
    assert gold is not None
    task = task_of(run, inputs)
    truth = {name: exam.truth for name, exam in task.exams.items()}
    assert truth["target"].tolist() == gold.tune.labels.tolist()
    right = {name: np.eye(3, dtype=np.float32)[own] for name, own in truth.items()}
    first = np.zeros_like(truth["validation"])  # macro-F1 of one label for all
    kept = f1_score(truth["validation"], first, average="macro")
    floor = inputs.starts[0].metrics["macro_f1"] - 0.1
    assert kept < floor
    assert task.value(right) == 1
    assert task.value({**right, "validation": np.eye(3, dtype=np.float32)[first]}) == pytest.approx(1 - (floor - kept))
    wrong = {**right, "target": np.eye(3, dtype=np.float32)[(truth["target"] + 1) % 3]}
    assert task.value(wrong) == 0


def test_the_epoch_that_is_kept_is_the_best_by_that_figure(further: Path) -> None:
    run = opened(further)
    gold, record = read_gold(run), model_registry.get(run.engine, "small", run_further(run).as_json()["winner"]["name"])
    assert gold is not None
    assert record is not None
    assert record.value == max(epoch["value"] for epoch in record.metrics["curve"])
    said = np.load(run.files.fetch(record.path) / "probabilities" / "target.npy").argmax(axis=1)
    start = further_inputs(run).starts[0].metrics["macro_f1"]
    lost = max(start - 0.02 - record.metrics["macro_f1"], 0)
    assert record.value == pytest.approx(f1_score(gold.tune.labels, said, average="macro") - lost)


def test_better_is_said_where_gold_supports_it_and_nothing_of_what_chose(further: Path) -> None:
    told = run_further(opened(further)).as_json()
    found = told["against_stage_one"]
    assert found["than"] == FIRST
    assert found["split"] == REPORT
    assert found["difference"] > 0.2  # the comments' slang is new to stage one
    assert found["low"] > 0
    assert found["verdict"] == "better"
    assert {other["verdict"] for other in told["comparisons"] if other["split"] != REPORT} == {None}


def test_the_controls_take_as_many_steps_and_their_weights_are_not_kept(further: Path) -> None:
    run = opened(further)
    trials = predictions(run, CONTROLS)
    assert [dict(params)["arm"] for _, _, _, params in trials] == ["original data only", "pseudo-labels only"]
    assert {record.study for record in model_registry.models(run.engine, "small", stage="further")} == {
        "small · further · models/bert"
    }


def test_a_larger_gold_report_half_is_compared_on_without_a_new_fit(further: Path) -> None:
    run = opened(further)
    before = predictions(run, CONTROLS)
    run_further(run)
    assert predictions(run, CONTROLS) == before


def test_without_gold_the_winner_is_warned_of_and_no_verdict_given(searched: Path) -> None:
    plan = without_gold(searched)
    run = opened(plan, "further.trials=1")
    run_search(run)
    run_label(run)
    told = run_further(run).as_json()
    assert told["against_stage_one"] is None
    assert told["target"] == "pseudo-labels"
    assert any("not how right those are" in warning for warning in told["warnings"])
    assert {found["verdict"] for found in told["comparisons"]} == {None}
    assert "held-out pseudo-labels" in {row["split"] for row in told["rows"]}


def test_a_trial_starts_from_the_trial_that_its_parameter_names(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened(searched, "further.space.start={choices: [1, 2]}")
    inputs = further_inputs(run)
    assert [record.name for record in inputs.starts] == [
        "search/models-bert/trial-0",
        "search/models-bert/trial-1",
    ] or [record.trial for record in inputs.starts] == [1, 0]
    assert "further.space.start" in inputs.parts
    task = task_of(run, inputs)
    assert study_of(run, inputs, task).baseline["start"] == 1
    second = run.files.fetch(inputs.starts[1].path)
    assert task.start_of({"start": 2}) == str(second)
    assert task.start_of({"start": 1}) == task.start == str(run.files.fetch(inputs.starts[0].path))
    seen: list[str] = []

    def noting(name: object, *more: Any, **settings: Any) -> object:
        seen.append(str(name))
        return load_classifier(name, *more, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("studies.trials.objective.load_classifier", noting)
    run_further(run)
    by_start = {1: task.start, 2: str(second)}
    trials = predictions(run, "small · further · models/bert")
    assert seen[: len(trials)] == [by_start[int(dict(params)["start"])] for *_, params in trials]


def test_more_starts_than_trials_are_kept_are_told(searched: Path) -> None:
    with pytest.raises(UserError, match=r"further\.space\.start: 3 is more than the 2 kept trials of models/bert"):
        further_inputs(opened(searched, "further.space.start={low: 1, high: 3}"))
    with pytest.raises(UserErrors) as caught:
        opened(searched, "further.space.start={low: 1, high: 4}")
    assert "start 4 is more than the 3 trials whose weights stage one keeps" in caught.value.problems[0]


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
    told = run_further(run).as_json()
    record = model_registry.get(run.engine, "small", told["winner"]["name"])
    assert record is not None
    assert set(yaml.safe_load(f"{{{space}}}")) <= {*record.recipe, "loss_q"}
    assert told["against_stage_one"]["difference"] > 0


@pytest.mark.slow
def test_stage_two_is_searched_in_every_way_that_stage_one_is(searched: Path) -> None:
    ways = ("sampler=random", "pruner=none", "seeds=2", "keep=2", "timeout=60m", "recheck={top: 1, seeds: 2}")
    run = opened(searched, "further.space.learning_rate={low: 1e-3, high: 5e-3}", *(f"further.{way}" for way in ways))
    told = run_further(run).as_json()
    assert {"further.sampler", "further.seeds"} <= set(further_inputs(run).parts)
    assert told["winner"]["fresh"]["n"] == 2
    assert told["stopped"] is None
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
    told = run_further(run).as_json()
    record = model_registry.get(run.engine, "small", told["winner"]["name"])
    assert record is not None
    assert [epoch["number"] for epoch in record.metrics["curve"]] == [1, 2]
    assert record.metrics["best_epoch"] == 1


def test_the_ablation_killed_and_gone_on_with_is_that_which_ran_through(
    further: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = Path(shutil.copytree(further.parent, tmp_path / "through")) / "plan.yaml"
    expected = run_ablation(opened(through)).as_json()
    begun = 0

    def killed(*args: object, **more: object) -> object:
        nonlocal begun
        begun += 1
        if begun > 3:
            raise KilledError
        return run_trial(*args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("stages.study_runs.study_runner.run_trial", killed)
        with pytest.raises(KilledError):
            run_ablation(dying(further))
    told = run_ablation(opened(further)).as_json()
    assert told["rows"] == expected["rows"]
    assert told["comparisons"] == expected["comparisons"]
    assert predictions(opened(further), CONTROLS) == predictions(opened(through), CONTROLS)
    assert len(predictions(opened(further), CONTROLS)) == 9
    assert Path(told["png"]).read_bytes()[:4] == b"\x89PNG"
    for row in told["rows"]:
        assert row["seeds"] == len(row["values"]) == 3
        assert row["low"] <= row["macro_f1"] <= row["high"]
    report = {row["model"]: row["macro_f1"] for row in told["rows"] if row["split"] == REPORT}
    assert report["both"] > report["original data only"]
    verdicts = {(c["model"], c["than"]): c["verdict"] for c in told["comparisons"] if c["split"] == REPORT}
    assert verdicts["both", "original data only"] == "better"


@pytest.mark.slow
def test_more_seeds_add_to_those_of_before(further: Path) -> None:
    run_ablation(opened(further))
    before = predictions(opened(further), CONTROLS)
    told = run_ablation(opened(further, "further.ablation_seeds=4")).as_json()
    after = predictions(opened(further), CONTROLS)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 3
    assert {row["seeds"] for row in told["rows"]} == {4}


@pytest.mark.slow
def test_a_lost_picture_is_drawn_again(further: Path) -> None:
    first = run_ablation(opened(further)).as_json()
    Path(first["png"]).unlink()
    again = run_ablation(opened(further)).as_json()
    assert Path(again["png"]).is_file()
    assert again["rows"] == first["rows"]


def test_beginning_stage_two_anew_forgets_its_controls(further: Path) -> None:
    from stages.runtime.reset import reset_stage

    run = opened(further)
    assert files_of(run, "answers")
    reset_stage(run, "further")
    assert not files_of(run, "answers")
    names = optuna.get_all_study_names(open_optuna(store_url(run.plan)))
    assert not [name for name in names if "further" in name]
