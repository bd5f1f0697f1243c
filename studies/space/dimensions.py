"""What a search varies: ranges, choices and fixed values; some only under a condition."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: Any) -> Any:
    if not _is_number(value):
        quoted = ", without quotes" if isinstance(value, str) else ""
        raise ValueError(f"a number is needed{quoted}, got {value!r}")
    return value


def _value(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError(f"a list of values is written {{choices: [...]}}, got {value!r}")
    if not isinstance(value, bool | str) and not _is_number(value):
        raise ValueError(f"a number or a name is needed, got {value!r}")
    return value


def _values(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


# Checked by one function each, not by a union's branches: a mistake is then reported once.
Number = Annotated[int | float, BeforeValidator(_number)]
Value = Annotated[bool | int | float | str, BeforeValidator(_value)]
When = dict[str, Annotated[list[Value], Field(min_length=1), BeforeValidator(_values)]]
WHEN = "tried only where other parameters have these values, else left at its default: {NAME: VALUE or [VALUES]}"


class Range(BaseModel):
    """All numbers from low to high, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Number = Field(description="smallest value tried")
    high: Number = Field(description="largest value tried")
    log: bool = Field(default=False, description="search the logarithm: for what spans powers of ten")
    step: Number | None = Field(
        default=None, description="distance between values; none: any value, 1 for whole numbers"
    )
    when: When | None = Field(default=None, description=WHEN)

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low {self.low} lies above high {self.high}; swap them")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"log needs low above 0 and no step, got low {self.low} and step {self.step}")
        if self.step is not None:
            self._check_step(self.step)
        return self

    def _check_step(self, step: float) -> None:
        if step <= 0:
            raise ValueError(f"step must be above 0, got {step}")
        if step > self.high - self.low:
            raise ValueError(f"step {step} leads from low {self.low} beyond high {self.high}; make it smaller")
        # in decimals, for 0.3 is not three times 0.1 in binary ones
        low, high, exact = (Decimal(str(number)) for number in (self.low, self.high, step))
        over = (high - low) % exact
        if over:
            raise ValueError(f"high {self.high} is no whole number of steps from low; the last one is {high - over}")


class Choices(BaseModel):
    """One of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: list[Value] = Field(description="the values tried", min_length=1)
    when: When | None = Field(default=None, description=WHEN)

    @model_validator(mode="after")
    def _are_distinct(self) -> "Choices":
        twice = [value for i, value in enumerate(self.choices) if value in self.choices[:i]]
        if twice:
            raise ValueError(f"each choice stands once, got {', '.join(map(repr, twice))} more often")
        return self


class Fixed(BaseModel):
    """One value, under a condition; without one, the value alone is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Value = Field(description="the value taken")
    when: When = Field(description=WHEN)


Dimension = Range | Choices | Fixed | Value


def _dimension_kind(value: Any) -> str:
    if isinstance(value, Range | Choices | Fixed):
        return type(value).__name__.lower()
    if isinstance(value, dict):
        return next((kind for kind, key in (("choices", "choices"), ("fixed", "value")) if key in value), "range")
    return "value"


# As a plan's field: distinguished by its form, so that a mistake is reported once and not for each kind.
DimensionField = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[Choices, Tag("choices")]
    | Annotated[Fixed, Tag("fixed")]
    | Annotated[Value, Tag("value")],
    Discriminator(_dimension_kind),
]
Space = Mapping[str, Dimension]


def fixed_value(dimension: Fixed | Value) -> Value:
    """The one value of a dimension that does not vary."""
    return dimension.value if isinstance(dimension, Fixed) else dimension


def most(dimension: Dimension) -> int:
    """The largest whole number that a dimension may take."""
    if isinstance(dimension, Range):
        return int(dimension.high)
    values = dimension.choices if isinstance(dimension, Choices) else [fixed_value(dimension)]
    return max(int(value) for value in values)


def most_epochs(space: Space, default: int) -> int:
    """The most epochs that a trial of the space may have. default: where the space has no epochs."""
    epochs = space.get("epochs", default)
    return max(most(epochs), default) if isinstance(epochs, Fixed) else most(epochs)


def condition_of(dimension: Dimension) -> When:
    """What must hold for a dimension to be tried: the values that each other parameter may have. Empty: always."""
    return (dimension.when or {}) if isinstance(dimension, Range | Choices | Fixed) else {}


def has_conditions(space: Space) -> bool:
    """Whether some of the space's parameters are tried only where others have certain values."""
    return any(condition_of(dimension) for dimension in space.values())


def ordered(space: Space) -> list[str]:
    """The space's names, each after those that its condition asks for, and otherwise as they stand.

    Raises ValueError with the names that wait for one another.
    """
    left, done = list(space), list[str]()
    while left:
        ready = [name for name in left if not set(condition_of(space[name])) & set(left)]
        if not ready:
            raise ValueError(", ".join(left))
        done += ready
        left = [name for name in left if name not in ready]
    return done


def holds(dimension: Dimension, chosen: Mapping[str, Any]) -> bool:
    """Whether a dimension is tried, given the values chosen for the parameters before it."""
    return all(name in chosen and chosen[name] in values for name, values in condition_of(dimension).items())


def plain_space(space: Space) -> dict[str, Any]:
    """A space as JSON takes it."""
    return {
        name: value.model_dump(exclude=None if value.when else {"when"}) if isinstance(value, BaseModel) else value
        for name, value in space.items()
    }
