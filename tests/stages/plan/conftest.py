"""A plan written to a file."""

from pathlib import Path

import pytest

from tests.helpers.short_plan import WriteIt


@pytest.fixture
def plan_at(tmp_path: Path) -> WriteIt:
    def write(text: str) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
