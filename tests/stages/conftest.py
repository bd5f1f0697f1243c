"""A run on an empty workspace, for stages that need no model; a labeller that answers by a rule; a searched project."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.label import labeller_ensemble
from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run
from tests.helpers.labelling_project import Labels, StubLabeller
from tests.helpers.short_plan import WriteIt

PLAN = """
name: small
labels: [anger, sadness, neutral, happiness]
original: {train: [{path: train.csv}]}
comments: [{path: comments.csv, id: id, time: time, author: author}]
candidates: [klue/bert-base]
"""


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def plan_at(tmp_path: Path) -> WriteIt:
    """Writes a plan's text to a file."""

    def write(text: str) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def a_run(plan_file: Path) -> Callable[..., Run]:
    def open_it(*overrides: str) -> Run:
        return open_run(read_plan(plan_file, overrides))

    return open_it


@pytest.fixture
def labels_by(monkeypatch: pytest.MonkeyPatch) -> Labels:
    """Makes the plan's labeller one that answers by a rule."""

    def put(rule: Callable[[str], tuple[float, ...] | int | None]) -> StubLabeller:
        labeller = StubLabeller(rule)
        monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller)
        return labeller

    return put


@pytest.fixture(scope="session")
def _searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.helpers.searched_project import make_searched

    with pytest.MonkeyPatch.context() as patch:
        return make_searched(tmp_path_factory.mktemp("searched") / "project", patch)


@pytest.fixture
def searched(_searched: Path, tmp_path: Path) -> Path:
    """A plan whose stage one and labelling are done."""
    return Path(shutil.copytree(_searched.parent, tmp_path / "project")) / "plan.yaml"
