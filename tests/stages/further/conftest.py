"""A project whose stage two is done, and one whose labeller answers by a rule."""

import shutil
from pathlib import Path

import pytest

from stages.further.run_further import run_further
from stages.label import labeller_ensemble
from tests.helpers.searched_project import labeller, opened


@pytest.fixture(scope="session")
def _further(_searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(_searched.parent, tmp_path_factory.mktemp("further") / "project")
    run_further(opened(folder / "plan.yaml"))
    return folder / "plan.yaml"


@pytest.fixture
def searched(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan whose stage one and labelling are done, with its labeller."""
    monkeypatch.setattr(labeller_ensemble, "make_labeller", lambda *_: labeller())
    return searched


@pytest.fixture
def further(_further: Path, tmp_path: Path) -> Path:
    """A plan whose stage two is done, too."""
    return Path(shutil.copytree(_further.parent, tmp_path / "further")) / "plan.yaml"
