"""Adapting reads comments and never gold, is gone on with after a kill, and what follows begins with its weights."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stages.adapt import run_adapt as stage_adapt
from stages.adapt.run_adapt import require_same_adaptation, run_adapt
from stages.datasets.original_and_gold import read_gold_rows
from stages.further.ablation import run_ablation
from stages.further.comparison import REPORT
from stages.further.further_inputs import further_inputs
from stages.further.further_study import NOT_ADAPTED, task_of
from stages.label.run_label import run_label
from stages.pipeline import execute
from stages.plan.schema import read_plan
from stages.runtime.adapted_encoders import adapted_folders, pretrained
from stages.runtime.run_context import Run
from stages.runtime.stage_order import stages_of
from storage.records import stage_records
from tests.helpers.searched_project import KilledError, files_of, opened
from tests.helpers.tiny_encoders import save_encoder
from transfer.errors import UserError, UserErrors
from transfer.training.masked_lm import DomainAdaptation

pytestmark = pytest.mark.usefixtures("one_thread")
BEFORE_SEARCH = "adapt={steps: 6, batch_size: 16, learning_rate: 1e-3, max_length: 24}"
BEFORE_FURTHER = BEFORE_SEARCH.replace("{steps", "{before: further, steps")


@pytest.fixture
def fresh(searched: Path) -> Path:
    """The project before anything was run."""
    shutil.rmtree(searched.parent / "runs")
    return searched


def weights(plan: Path) -> dict[str, bytes]:
    return {name: given for name, given in files_of(opened(plan), "adapted").items() if name.endswith(".safetensors")}


def test_the_comments_are_read_and_golds_texts_are_not(fresh: Path) -> None:
    run = opened(fresh, BEFORE_SEARCH)
    told = run_adapt(run).as_json()["adapted"]["models/bert"]
    (sample,) = [name for name in run.files.names("samples") if "adapt" in name]
    read = set(pq.read_table(run.files.fetch(sample)).column("text").to_pylist())
    gold = read_gold_rows(run.plan)
    assert gold is not None
    assert len(read) == 120
    assert not read & set(gold.texts)
    assert told["steps"] == 6
    assert told["loss"]["after"] < told["loss"]["before"]


def test_its_options_say_how_much_is_read_masked_and_spent(fresh: Path) -> None:
    options = "comments: 40, minutes: 1e-6, mask: word, share: 0.3"
    told = run_adapt(opened(fresh, BEFORE_SEARCH.replace("}", f", {options}}}"))).as_json()["adapted"]["models/bert"]
    assert told["steps"] == 1  # the limit of time is looked at after each
    assert told["texts"] == 38  # two are held out


def test_an_adaptation_killed_and_gone_on_with_gives_the_same_weights(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = Path(shutil.copytree(fresh.parent, tmp_path / "through")) / "plan.yaml"
    run_adapt(opened(through, BEFORE_SEARCH))
    do = DomainAdaptation._do

    def killed(self: DomainAdaptation, rows: Any) -> float:
        if self.step == 4:
            raise KilledError
        return do(self, rows)

    monkeypatch.setattr(stage_adapt, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(DomainAdaptation, "_do", killed)
        with pytest.raises(KilledError):
            run_adapt(opened(fresh, BEFORE_SEARCH))
    begun: list[int] = []

    def noted(self: DomainAdaptation, rows: Any) -> float:
        begun.append(self.step)
        return do(self, rows)

    monkeypatch.setattr(DomainAdaptation, "_do", noted)
    told = run_adapt(opened(fresh, BEFORE_SEARCH)).as_json()
    assert begun == [4, 5]
    assert weights(fresh) == weights(through)
    assert told["adapted"]["models/bert"]["loss"]["before"] > told["adapted"]["models/bert"]["loss"]["after"]
    assert not list((opened(fresh).scratch).rglob("*.safetensors"))


def test_an_encoder_that_was_adapted_before_a_kill_is_not_adapted_again(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_encoder("roberta", fresh.parent / "models" / "roberta", with_lm_head=True)
    both = (BEFORE_SEARCH, "candidates=[models/bert, models/roberta]")
    train, begun = stage_adapt._train, list[str]()

    def noted(run: Run, candidate: str, *more: Any) -> None:
        begun.append(candidate)
        if begun == ["models/bert", "models/roberta"]:
            raise KilledError
        train(run, candidate, *more)

    monkeypatch.setattr(stage_adapt, "_train", noted)
    with pytest.raises(KilledError):
        run_adapt(opened(fresh, *both))
    before = weights(fresh)
    told = run_adapt(opened(fresh, *both)).as_json()["adapted"]
    assert begun == ["models/bert", "models/roberta", "models/roberta"]
    assert before.items() <= weights(fresh).items()
    assert len(before) == 1
    for found in told.values():
        assert found["steps"] == 6
        assert found["loss"]["after"] < found["loss"]["before"]


def test_another_adaptation_stands_beside_the_first_which_trials_may_cite(fresh: Path) -> None:
    run = opened(fresh, BEFORE_SEARCH)
    first, kept = run_adapt(run).as_json()["adapted"]["models/bert"], weights(fresh)
    other = opened(fresh, BEFORE_SEARCH.replace("steps: 6", "steps: 4"))
    with pytest.raises(UserError, match="stage adapt of small was begun with other inputs") as caught:
        require_same_adaptation(other)
    assert any('"steps": 4' in line for line in str(caught.value).splitlines())
    second = run_adapt(other).as_json()["adapted"]["models/bert"]
    assert second["name"] != first["name"]
    assert kept.items() < weights(fresh).items()
    made_by = json.loads((run.files.fetch(second["name"]) / "adaptation.json").read_text(encoding="utf-8"))["made_by"]
    assert made_by["adapt"]["steps"] == 4
    assert run_adapt(run).as_json()["adapted"]["models/bert"] == first  # put back, it is there


def test_gold_that_is_labelled_otherwise_changes_nothing_and_new_gold_is_left_out(fresh: Path) -> None:
    run = opened(fresh, BEFORE_SEARCH)
    first = run_adapt(run).as_json()["adapted"]["models/bert"]
    gold = fresh.parent / "gold.csv"
    lines = gold.read_text(encoding="utf-8").splitlines()
    swapped = {"anger": "joy", "joy": "sadness", "sadness": "anger"}
    turned = [f"{row.rpartition(',')[0]},{swapped[row.rpartition(',')[2]]}" for row in lines[1:]]
    gold.write_text("\n".join([lines[0], *turned]) + "\n", encoding="utf-8")
    assert run_adapt(opened(fresh, BEFORE_SEARCH)).as_json()["adapted"]["models/bert"] == first
    (sample,) = [name for name in run.files.names("samples") if "adapt" in name]
    drawn = pq.read_table(run.files.fetch(sample)).column("text").to_pylist()
    with gold.open("a", encoding="utf-8") as file:
        file.write(f"new,{drawn[0]},joy\n")
    with pytest.raises(UserError, match="with other inputs"):
        require_same_adaptation(opened(fresh, BEFORE_SEARCH))
    again = run_adapt(opened(fresh, BEFORE_SEARCH)).as_json()["adapted"]["models/bert"]
    assert again["name"] != first["name"]
    assert drawn[0] not in stage_adapt._inputs(opened(fresh, BEFORE_SEARCH)).texts


def test_labels_are_exported_and_begun_anew_beside_the_comments_of_an_adaptation(
    searched: Path, tmp_path: Path
) -> None:
    from stages.label.label_export import labels_command
    from stages.runtime.reset import reset_stage

    run = opened(searched, BEFORE_SEARCH)
    stage_records.forget(run.engine, "small", "search")  # as if it came later
    run_adapt(run)
    found = labels_command(run, None, tmp_path / "labels.csv", None)
    assert found.exported is not None
    assert found.exported.rows >= 100
    reset_stage(run, "label")
    assert run.files.names("samples") == run.files.names("samples/adapt-") != []


@pytest.mark.parametrize(("settings", "stage"), [(BEFORE_SEARCH, "search"), (BEFORE_FURTHER, "further")])
def test_nothing_is_adapted_for_a_stage_that_was_begun_without(searched: Path, settings: str, stage: str) -> None:
    run = opened(searched, settings)
    if stage == "further":
        stage_records.begin(run.engine, "small", stage, "begun", {})
    assert stages_of(run.plan)[stages_of(run.plan).index("adapt") + 1] == stage
    with pytest.raises(UserError, match=f"stage {stage} of small was begun without it") as caught:
        execute(run, stage)
    assert f"--anew {stage}" in str(caught.value)
    assert not files_of(run, "adapted")


def test_stage_one_begins_with_the_adapted_weights_alone_and_keeps_to_them(fresh: Path) -> None:
    run_adapt(opened(fresh, BEFORE_SEARCH.replace("steps: 6", "steps: 4")))
    run = opened(fresh, BEFORE_SEARCH, "search.trials=1", "search.space.epochs=1")
    execute(run, "search")
    assert adapted_folders(run)["models/bert"] != pretrained(run, "models/bert")
    assert len(weights(fresh)) == 1, "the other adaptation is of no use any more"
    gold = fresh.parent / "gold.csv"
    with gold.open("a", encoding="utf-8") as file:
        file.write(f"new,{stage_adapt._inputs(run).texts[0]},joy\n")
    before = weights(fresh)
    with pytest.raises(UserError, match="stage adapt of small was begun with other inputs") as caught:
        execute(opened(fresh, BEFORE_SEARCH, "search.trials=1", "search.space.epochs=1"), "search")
    assert "--anew adapt" in str(caught.value)
    assert weights(fresh) == before, "told before anything is adapted again"


@pytest.mark.parametrize("key", [BEFORE_SEARCH, "rounds={most: 2}"])
def test_what_reads_comments_needs_some(fresh: Path, key: str) -> None:
    with pytest.raises(UserErrors) as caught:
        read_plan(fresh, [key, "comments=[]"])
    assert "it reads comments, and the plan has none" in caught.value.problems[0]


@pytest.mark.slow
def test_the_winner_is_adapted_before_stage_two_and_the_ablation_has_it_without(searched: Path) -> None:
    run = opened(searched, BEFORE_FURTHER, "further.trials=1")
    assert stages_of(run.plan)[1:4] == ["label", "adapt", "further"]
    execute(run, "ablation")
    told = run_ablation(run).as_json()
    inputs = further_inputs(run)
    task = task_of(run, inputs)
    assert task.start == str(adapted_folders(run)["models/bert"])
    assert task.starts[NOT_ADAPTED] == str(run.files.fetch(inputs.starts[0].path))
    arms = [row["model"] for row in told["rows"] if row["split"] == REPORT]
    assert arms == ["original data only", "pseudo-labels only", "both", "both, not adapted"]
    values = {row["model"]: row["values"] for row in told["rows"] if row["split"] == REPORT}
    assert values["both"] != values["both, not adapted"]
    assert "both, not adapted" in {found["than"] for found in told["comparisons"]}


@pytest.mark.slow
def test_adapting_before_stage_one_is_shown_by_stage_ones_recipe_with_and_without(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.label import labeller_ensemble
    from tests.helpers.searched_project import labeller

    monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller())
    run = opened(fresh, BEFORE_SEARCH, "search.trials=1", "further.trials=1")
    execute(run, "search")
    run_label(run)
    execute(run, "ablation")
    told = run_ablation(run).as_json()
    assert [row["model"] for row in told["rows"] if row["split"] == REPORT][3:] == [
        "stage one's recipe, adapted",
        "stage one's recipe, not adapted",
    ]
    values = {row["model"]: row["values"] for row in told["rows"]}
    assert values["stage one's recipe, adapted"] != values["stage one's recipe, not adapted"]


def test_beginning_the_adaptation_anew_before_stage_two_leaves_stage_one_alone(searched: Path) -> None:
    from stages.results.further_result import FurtherResult
    from stages.results.study_results import SearchResult
    from stages.runtime.reset import reset_stage
    from stages.runtime.stage_execution import read_result

    run = opened(searched, BEFORE_FURTHER, "further.trials=1")
    execute(run, "further")
    reset_stage(run, "adapt")
    assert read_result(run, SearchResult)
    assert not files_of(run, "adapted")
    with pytest.raises(UserError, match="stage further of small is not done"):
        read_result(run, FurtherResult)
