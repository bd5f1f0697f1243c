"""Adapting reads comments and never gold, is gone on with after a kill, and what follows begins with its weights."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stages import adapt
from stages.ablation import run_ablation
from stages.adapt import adapted_folders, pretrained, run_adapt
from stages.basic import run_basic
from stages.compared import REPORT
from stages.data import read_gold_rows
from stages.further import run_further
from stages.further_inputs import inputs_of
from stages.further_task import NOT_ADAPTED, task_of
from stages.overview import stages_of
from stages.plan import read_plan
from stages.pseudo_label import run_pseudo_label
from tests.stages.stage_two import KilledError, files_of, opened
from transfer.adapt import Adapting
from transfer.problem import Problem, Problems

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
    told = run_adapt(run)["adapted"]["models/bert"]
    (sample,) = [name for name in run.files.names("samples") if "adapt" in name]
    read = set(pq.read_table(run.files.fetch(sample)).column("text").to_pylist())
    gold = read_gold_rows(run.plan)
    assert gold is not None
    assert len(read) == 120
    assert not read & set(gold.texts)
    assert told["steps"] == 6
    assert told["loss"]["after"] < told["loss"]["before"]


def test_an_adaptation_killed_and_gone_on_with_gives_the_same_weights(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = Path(shutil.copytree(fresh.parent, tmp_path / "through")) / "plan.yaml"
    run_adapt(opened(through, BEFORE_SEARCH))
    do = Adapting._do

    def killed(self: Adapting, rows: Any) -> float:
        if self.step == 4:
            raise KilledError
        return do(self, rows)

    monkeypatch.setattr(adapt, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Adapting, "_do", killed)
        with pytest.raises(KilledError):
            run_adapt(opened(fresh, BEFORE_SEARCH))
    begun: list[int] = []

    def noted(self: Adapting, rows: Any) -> float:
        begun.append(self.step)
        return do(self, rows)

    monkeypatch.setattr(Adapting, "_do", noted)
    told = run_adapt(opened(fresh, BEFORE_SEARCH))
    assert begun == [4, 5]
    assert weights(fresh) == weights(through)
    assert told["adapted"]["models/bert"]["loss"]["before"] > told["adapted"]["models/bert"]["loss"]["after"]
    assert not list((opened(fresh).scratch).rglob("*.safetensors"))


def test_stage_one_begins_with_the_adapted_weights_and_says_what_changed(searched: Path) -> None:
    run = opened(searched, BEFORE_SEARCH)
    assert stages_of(run.plan)[:2] == ["adapt", "basic"]
    with pytest.raises(Problem, match="candidates"):
        run_basic(run)  # stage one was done without: its trials are not mixed with those of adapted weights
    assert adapted_folders(run)["models/bert"] != pretrained(run, "models/bert")


@pytest.mark.parametrize("key", [BEFORE_SEARCH, "rounds={most: 2}"])
def test_what_reads_comments_needs_some(fresh: Path, key: str) -> None:
    with pytest.raises(Problems) as caught:
        read_plan(fresh, [key, "comments=[]"])
    assert "it reads comments, and the plan has none" in caught.value.problems[0]


@pytest.mark.slow
def test_the_winner_is_adapted_before_stage_two_and_the_ablation_has_it_without(searched: Path) -> None:
    run = opened(searched, BEFORE_FURTHER, "further.trials=1")
    assert stages_of(run.plan)[1:4] == ["pseudo_label", "adapt", "further"]
    told = run_ablation(run)
    inputs = inputs_of(run)
    task, _ = task_of(run, inputs)
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
    from stages import panel
    from tests.stages.stage_two import labeller

    monkeypatch.setattr(panel, "make_labeller", lambda *_: labeller())
    run = opened(fresh, BEFORE_SEARCH, "search.trials=1", "further.trials=1")
    run_basic(run)
    run_pseudo_label(run)
    told = run_ablation(run)
    assert [row["model"] for row in told["rows"] if row["split"] == REPORT][3:] == [
        "stage one's recipe, adapted",
        "stage one's recipe, not adapted",
    ]
    values = {row["model"]: row["values"] for row in told["rows"]}
    assert values["stage one's recipe, adapted"] != values["stage one's recipe, not adapted"]


def test_beginning_the_adaptation_anew_before_stage_two_leaves_stage_one_alone(searched: Path) -> None:
    from stages.anew import begin_anew
    from stages.stage import result_of

    run = opened(searched, BEFORE_FURTHER, "further.trials=1")
    run_further(run)
    begin_anew(run, "adapt")
    assert result_of(run, "basic")
    assert not files_of(run, "adapted")
    with pytest.raises(Problem, match="stage further of small is not done"):
        result_of(run, "further")
