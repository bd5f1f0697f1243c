"""A command's run, opened and coordinated."""

from pathlib import Path

import pytest

from stages.infer import ray_cluster
from stages.session import PlanSource, infer_command
from transfer.errors import UserError


def test_without_ray_the_extra_is_named_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"ray is not installed\n.*pip install 'moodline\[cluster\]'"):
        infer_command(PlanSource(Path("no/plan.yaml")), None, False, "ray")
