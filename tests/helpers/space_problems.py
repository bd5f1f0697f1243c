"""What is wrong with a space, as a plan would be told."""

from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import (
    Space,
)
from studies.space.space_validation import space_problems


def problems_in(space: Space, *, mixes: bool = False) -> list[str]:
    """Problems as "place: text"."""
    whole = {**default_space(12), **(default_mixing() if mixes else {}), **space}
    return [f"{'.'.join(place)}: {text}" for place, text in space_problems(space, whole, mixes=mixes)]
