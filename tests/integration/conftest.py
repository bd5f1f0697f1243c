"""The small project, made once and copied; and once run to its end."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_project import Project, make_project


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("template"))


@pytest.fixture
def project(_template: Project, tmp_path: Path) -> Project:
    """A project on which nothing was run."""
    shutil.copytree(_template.folder, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def _finished(_template: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(_template.folder, folder)
    project = Project(folder)
    done = project.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def finished(_finished: Project, tmp_path: Path) -> Project:
    """A project whose run is done."""
    shutil.copytree(_finished.folder, tmp_path / "finished")
    return Project(tmp_path / "finished")


@pytest.fixture
def no_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    """To load a model is an error."""

    from stages.runtime import prediction_cache, predictor

    def refuse(*_: object) -> Any:
        raise AssertionError("a model was loaded")

    for module in (predictor, prediction_cache):
        monkeypatch.setattr(module, "load_engine", refuse)
