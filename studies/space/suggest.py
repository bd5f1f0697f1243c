"""A trial's parameters in a space: proposed by a sampler, or the point that is nearest to given values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from studies.space.defaults import EVERY_INT
from studies.space.dimensions import Choices, Dimension, Range, Space, fixed_value, holds, ordered

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


def suggest(trial: "BaseTrial", space: Space) -> dict[str, Any]:
    """A value for every parameter of the space whose condition holds, fixed ones included.

    The trial remembers those that vary. What is left out is at the recipe's default.
    """
    chosen: dict[str, Any] = {}
    for name in ordered(space):
        if holds(space[name], chosen):
            chosen[name] = _suggest(trial, name, space[name])
    return chosen


def _suggest(trial: "BaseTrial", name: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        chosen: Any = trial.suggest_categorical(name, dimension.choices)
        return int(chosen) if name in EVERY_INT else chosen
    if not isinstance(dimension, Range):
        value = fixed_value(dimension)
        return int(value) if name in EVERY_INT else value
    low, high, step = dimension.low, dimension.high, dimension.step
    if name in EVERY_INT:
        return trial.suggest_int(name, int(low), int(high), log=dimension.log, step=int(step or 1))
    return trial.suggest_float(name, float(low), float(high), log=dimension.log, step=step)


def nearest(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """`values` moved to the nearest point of the space, parameter by parameter.

    Fixed parameters are left out, and so are those whose condition does not hold there.
    """
    chosen: dict[str, Any] = {}
    for name in ordered(space):
        dimension = space[name]
        if not holds(dimension, chosen):
            continue
        if not isinstance(dimension, Range | Choices):
            chosen[name] = fixed_value(dimension)
        elif name in values:
            chosen[name] = _nearest(values[name], dimension)
    return {name: chosen[name] for name in space if name in chosen and isinstance(space[name], Range | Choices)}


def _nearest(value: Any, dimension: Range | Choices) -> Any:
    if isinstance(dimension, Choices):
        numbers = [c for c in dimension.choices if not isinstance(c, str)]
        if value in dimension.choices or isinstance(value, str) or not numbers:
            return value if value in dimension.choices else dimension.choices[0]
        return min(numbers, key=lambda choice: abs(choice - value))
    inside = min(max(value, dimension.low), dimension.high)
    if dimension.step is None:
        return inside
    # in decimals, for three times 0.1 is not 0.3 in binary ones
    low, step = Decimal(str(dimension.low)), Decimal(str(dimension.step))
    steps = round((Decimal(str(inside)) - low) / step)  # high is a whole number of steps away
    return type(dimension.low + dimension.step)(low + steps * step)
