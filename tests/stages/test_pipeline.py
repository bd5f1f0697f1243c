"""Before a stage begins, those that it builds on must be done, with the inputs that the plan and its data give now."""

from pathlib import Path

import pytest

from stages.label import labeller_ensemble
from stages.pipeline import execute, join_stage, run_all
from storage.records import stage_records
from tests.helpers.labelling_project import make_labelling
from tests.helpers.searched_project import labeller, opened
from transfer.errors import UserError

pytestmark = pytest.mark.usefixtures("one_thread")
OTHER_SEARCH = "search.space.epochs=4"


@pytest.fixture
def searched(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan whose stage one and labelling are done, with its labeller."""
    monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller())
    return searched


@pytest.mark.parametrize("stage", ["search", "further", "ablation", "ensemble"])
def test_a_stage_is_refused_where_the_search_below_it_has_other_inputs_now(searched: Path, stage: str) -> None:
    with pytest.raises(UserError, match="stage search of small was begun with other inputs") as caught:
        execute(opened(searched, OTHER_SEARCH), stage)
    assert "search.space" in str(caught.value)
    assert "--anew search" in str(caught.value)


def test_the_ensemble_is_refused_where_stage_two_has_other_inputs_now(searched: Path) -> None:
    execute(opened(searched, "further.trials=1"), "further")
    with pytest.raises(UserError, match="stage further of small was begun with other inputs"):
        execute(opened(searched, "further.trials=1", "further.tolerance=0.1"), "ensemble")


@pytest.mark.parametrize("stage", ["search", "further"])
def test_other_original_data_is_noticed_too(searched: Path, stage: str) -> None:
    with (searched.parent / "original.csv").open("a", encoding="utf-8") as file:
        file.write("one more furious day,anger\n")
    with pytest.raises(UserError, match=r"original\.train \(content\)"):
        execute(opened(searched), stage)


@pytest.mark.parametrize("stage", ["infer", "monitor", "further"])
def test_a_stage_before_its_time_names_the_command_that_comes_first(tmp_path: Path, stage: str) -> None:
    with pytest.raises(UserError, match="do it with: moodline"):
        execute(opened(make_labelling(tmp_path)), stage)


def test_labelling_needs_no_search_unless_a_teacher_labels(searched: Path) -> None:
    execute(opened(searched, OTHER_SEARCH), "label")
    with pytest.raises(UserError, match="stage search of small was begun with other inputs"):
        execute(opened(searched, OTHER_SEARCH, "pseudo_label.labeller={teacher: ensemble}"), "label")


def test_what_is_not_done_is_named_with_the_command_that_does_it(searched: Path) -> None:
    run = opened(searched)
    stage_records.forget(run.engine, "small", "search")
    for stage in ("further", "ensemble"):
        with pytest.raises(UserError, match=r"stage search of small is not done\n.*moodline search plan\.yaml"):
            execute(run, stage)


def test_a_worker_with_other_inputs_is_refused(searched: Path) -> None:
    run = opened(searched)
    stage_records.begin(run.engine, "small", "further", "of the coordinator", {"seed": 99})
    with pytest.raises(UserError, match="stage further of small was begun with other inputs"):
        join_stage(run, "further")


def test_a_labeller_below_its_gate_ends_the_run_before_stage_two(searched: Path) -> None:
    run = opened(searched, "pseudo_label.min_kappa=1")
    with pytest.raises(UserError, match=r"pseudo_label\.min_kappa: the labeller agrees with people"):
        run_all(run)
    states = {record.stage: record.state for record in stage_records.read_all(run.engine, "small")}
    assert states == {"search": "done", "label": "failed"}


@pytest.mark.parametrize("stage", ["further", "ensemble"])
def test_models_are_not_evaluated_on_splits_of_another_seed(searched: Path, stage: str) -> None:
    """They would meet texts that they were trained on."""
    with pytest.raises(UserError, match=r"seed: was \d+, is 99"):
        execute(opened(searched, "seed=99"), stage)
