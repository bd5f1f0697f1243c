"""The points at which tests kill are there."""

import pytest

from tests.helpers.killing import DISK_STEPS, POINTS, REMOVALS, _owner


@pytest.mark.parametrize("at", [*POINTS, *REMOVALS, *DISK_STEPS])
def test_a_point_names_a_function(at: str) -> None:
    owner, name = _owner(at)
    assert callable(getattr(owner, name))
