"""The points at which tests kill exist."""

import pytest

from tests.helpers.crash_points import REMOVALS, RUN, STAGES
from tests.helpers.killing import DISK_STEPS, owner_of

NAMES = {at for points in (*STAGES.values(), RUN, REMOVALS) for at, _ in points} | set(DISK_STEPS)


@pytest.mark.parametrize("at", sorted(NAMES))
def test_a_point_names_a_function(at: str) -> None:
    owner, name = owner_of(at)
    assert callable(getattr(owner, name))
