"""A plan whose comments can be labelled."""

from pathlib import Path

import pytest

from tests.helpers.labelling_project import make_labelling


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return make_labelling(tmp_path)
