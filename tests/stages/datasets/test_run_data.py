"""A run reads its labelled files once, whichever stages ask for them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from stages.datasets import original_and_gold
from stages.datasets.run_data import data_of
from stages.pipeline import run_all
from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run
from tests.helpers.small_project import Project, make_project
from transfer.corpus.labelled_reader import read_labelled

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")


def opened(project: Project, *overrides: str) -> Run:
    return open_run(read_plan(project.plan, overrides))


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a source of labelled texts is read, by its key in the plan: all stages read them by this function."""
    reads = Counter[str]()

    def counting(sources: object, labels: object, base: object, where: str) -> object:
        reads[where] += 1
        return read_labelled(sources, labels, base, where)  # type: ignore[arg-type]

    monkeypatch.setattr(original_and_gold, "read_labelled", counting)
    return reads


def test_a_run_of_all_stages_reads_original_data_and_gold_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comments are not counted: they are streamed, by labelling's sampling and by inference, and never held."""
    reads = counted(monkeypatch)
    few = ("candidates=[models/bert]", "search.trials=1", "search.keep=1", "search.space.epochs=2", "further.trials=1")
    run = opened(project, *few)
    result = run_all(run)
    assert {stage.state for stage in result.stages} == {"done"}
    assert reads == {"original.train": 1, "gold": 1}
    run_all(opened(project, *few))  # done already: each stage still looks whether its data is the same
    assert reads == {"original.train": 2, "gold": 2}


def test_gold_leaves_training_and_validation_and_halves_hold_all_of_it(project: Project) -> None:
    data = data_of(opened(project))
    assert data.gold_rows is not None
    assert data.gold is not None
    keys = set(data.gold_rows.keys)
    assert keys == {*data.gold.tune.keys, *data.gold.report.keys}
    assert not keys & {*data.original.train.keys, *data.original.validation.keys}
    assert len(data.original.train) <= len(data.all_original.train)


def test_every_stage_of_a_run_has_the_same_data_and_a_second_run_its_own(project: Project) -> None:
    run = opened(project)
    assert data_of(run) is data_of(run)
    assert data_of(replace(run)) is data_of(run)
    assert data_of(opened(project)) is not data_of(run)
