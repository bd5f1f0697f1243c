"""What is wrong with a user's own search space, reported before anything runs, each at its place in the space."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from studies.space.defaults import EVERY_INT, EVERY_NAME, EVERY_NUMBER, MIXING
from studies.space.dimensions import Choices, Dimension, Range, Space, Value, condition_of, fixed_value, ordered

Place = tuple[str, ...]
# What a trial cannot do without: read by others than the recipe, which has a default for everything.
NEEDED = ("max_length", "pseudo_share", "confidence", "label_softness", "start")


def space_problems(space: Space, whole: Space, *, mixes: bool) -> Iterator[tuple[Place, str]]:
    """Everything in a user's space that cannot be searched, with its place in it.

    whole: all dimensions searched, the defaults included: conditions may name them.
    mixes: whether stage two's own parameters (pseudo_share, confidence and the like) belong to it.
    """
    for name, dimension in space.items():
        problems = dimension_problems(name, dimension, mixes=mixes)
        yield from (((name,), text) for text in problems)
        if not problems:
            yield from _condition_problems(name, dimension, whole)
    try:
        ordered({**whole, **space})
    except ValueError as error:
        waiting = [name for name in space if name in str(error).split(", ")]
        yield (waiting[0], "when"), f"the conditions go in a circle: {error} wait for one another"


def dimension_problems(name: str, dimension: Dimension, *, mixes: bool) -> list[str]:
    """What is wrong with one parameter's name and values."""
    known = sorted(known for known in (*EVERY_NAME, *EVERY_NUMBER) if mixes or known not in MIXING)
    if name not in known:
        later = f"\n  '{name}' belongs to stage two: set it in further.space" if name in MIXING else ""
        return [unknown(name, known) + later]
    if name in EVERY_NAME and isinstance(dimension, Range):
        return [f"{name} takes choices of {', '.join(EVERY_NAME[name])}, not a range"]
    problems = [text for value in _written(dimension) if (text := value_problem(name, value)) is not None]
    if condition_of(dimension) and name in NEEDED:
        problems.append(f"{name} is needed in every trial, and takes no 'when'")
    return list(dict.fromkeys(problems))


def unknown(name: str, known: Sequence[str]) -> str:
    """That a parameter is not known, and which is likely meant."""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"no parameter '{name}'\n  {hint}there are {', '.join(known)}"


def value_problem(name: str, value: Value) -> str | None:
    """Why a parameter cannot have a value at all, whatever the plan's space."""
    if name in EVERY_NAME:
        names = EVERY_NAME[name]
        return None if value in names else f"{name} has no value {value!r}; there are {', '.join(names)}"
    low, high = EVERY_NUMBER[name]
    whole = name in EVERY_INT
    if isinstance(value, bool | str) or not low <= value <= high or (whole and value != int(value)):
        return f"{name} takes {'whole numbers' if whole else 'numbers'} from {low:g} to {high:g}, got {value!r}"
    return None


def has_value(name: str, dimension: Dimension, value: Value) -> bool:
    """Whether trials may have the value of a parameter, by its dimension."""
    if isinstance(dimension, Choices):
        return value in dimension.choices
    if not isinstance(dimension, Range):
        return value == fixed_value(dimension)
    if isinstance(value, bool | str) or not dimension.low <= value <= dimension.high:
        return False
    step = dimension.step or (1 if name in EVERY_INT else None)
    steps = 0.0 if step is None else (value - dimension.low) / step
    return abs(steps - round(steps)) < 1e-9  # an eye on 0.1 + 0.2


def values_of(dimension: Dimension) -> str:
    """A dimension in words: "1e-05 to 0.0003", "one of 16, 32, 64", "fixed at 8"."""
    if isinstance(dimension, Choices):
        return f"one of {', '.join(map(str, dimension.choices))}"
    if not isinstance(dimension, Range):
        return f"fixed at {fixed_value(dimension)}"
    return f"{dimension.low} to {dimension.high}" + (f" in steps of {dimension.step}" if dimension.step else "")


def _condition_problems(name: str, dimension: Dimension, whole: Space) -> Iterator[tuple[Place, str]]:
    for other, values in condition_of(dimension).items():
        place = (name, "when", other)
        if other not in whole:
            yield place, unknown(other, sorted(whole))
            continue
        parent = whole[other]
        if isinstance(parent, Range) and other not in EVERY_INT and parent.step is None:
            yield place, f"{other} is a range without steps: no trial has just that value\n  give it choices or a step"
            continue
        for value in values:
            if not has_value(other, parent, value):
                yield place, f"{other} is never {value!r} in this plan: it is {values_of(parent)}"


def _written(dimension: Dimension) -> list[Value]:
    if isinstance(dimension, Range):
        return [dimension.low, dimension.high, *([] if dimension.step is None else [dimension.low + dimension.step])]
    return list(dimension.choices) if isinstance(dimension, Choices) else [fixed_value(dimension)]
