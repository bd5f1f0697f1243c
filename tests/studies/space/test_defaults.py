"""The default spaces are valid."""

from studies.space.defaults import default_mixing, default_space
from tests.helpers.space_problems import problems_in


def test_the_default_spaces_are_valid_at_any_depth() -> None:
    for layers in (1, 2, 12, 24):
        assert problems_in(default_space(layers)) == []
        assert problems_in({**default_space(layers), **default_mixing()}, mixes=True) == []
