from collections.abc import Callable
from pathlib import Path

import pytest

from stages.runtime.run_context import Run, candidate_location
from transfer.errors import UserError

RunIt = Callable[..., Run]


def test_a_workspace_that_cannot_be_written_is_told(a_run: RunIt, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file stands where the folder should")
    with pytest.raises(UserError, match=r"workspace: cannot write to .*taken"):
        a_run("workspace=taken/runs")


def test_a_candidate_folder_beside_the_plan_wins_over_a_hub_name(a_run: RunIt, tmp_path: Path) -> None:
    plan = a_run().plan
    assert candidate_location(plan, "owner/name") == "owner/name"
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert candidate_location(plan, "owner/name") == str(tmp_path / "owner" / "name")


@pytest.mark.parametrize("name", ["./models/bert", "/nowhere/bert", "a/b/c"])
def test_what_can_only_be_a_folder_must_be_there(a_run: RunIt, name: str) -> None:
    with pytest.raises(UserError, match="no such folder"):
        candidate_location(a_run().plan, name)
