"""What a search varies: ranges, choices and fixed values, by a recipe's parameters; some only under a condition."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Kind = Literal["float", "int", "name"]


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


# Checked by one function each, not by a union's branches: a mistake is then told once.
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


# As a plan's field: told apart by its form, so that a mistake is told once and not for each kind.
DimensionField = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[Choices, Tag("choices")]
    | Annotated[Fixed, Tag("fixed")]
    | Annotated[Value, Tag("value")],
    Discriminator(_dimension_kind),
]
Space = Mapping[str, Dimension]

# What each parameter takes: its kind, and the bounds within which it makes sense.
NAMES: dict[str, tuple[str, ...]] = {
    "class_weighting": ("none", "balanced"),
    "method": ("full", "lora"),
    "lora_targets": ("attention", "all"),
    "loss": ("cross_entropy", "generalised", "symmetric", "bootstrap"),
}
FLOATS: dict[str, tuple[float, float]] = {
    "learning_rate": (1e-8, 1.0),
    "weight_decay": (0.0, 1.0),
    "warmup_share": (0.0, 0.9),
    "dropout": (0.0, 0.9),
    "label_smoothing": (0.0, 0.9),
    "layer_decay": (0.1, 1.0),
    "loss_q": (0.01, 1.0),
    "anchor": (0.0, 100.0),
}
INTS: dict[str, tuple[float, float]] = {
    "batch_size": (1, 4096),
    "epochs": (1, 1000),
    "max_length": (4, 8192),
    "frozen_layers": (0, 200),
    "lora_rank": (1, 1024),
}
# Stage two's own, in three kinds: names, numbers, whole numbers.
MIXING_NAMES: dict[str, tuple[str, ...]] = {
    "confidence_by": ("overall", "label"),
    "replay": ("fixed", "fresh"),
}
MIXING_FLOATS: dict[str, tuple[float, float]] = {
    "pseudo_share": (0.0, 1.0),
    "pseudo_weight": (0.0, 100.0),
    "confidence": (0.0, 1.0),
    "label_softness": (0.0, 1.0),
    "label_temperature": (0.05, 20.0),
    "rebalance": (0.0, 1.0),
}
MIXING_INTS: dict[str, tuple[float, float]] = {"start": (1, 100)}
MIXING = (*MIXING_NAMES, *MIXING_FLOATS, *MIXING_INTS)
# What has a name instead of a number, and what is counted.
EVERY_NAME = NAMES | MIXING_NAMES
EVERY_INT = INTS | MIXING_INTS
EVERY_NUMBER = FLOATS | MIXING_FLOATS | EVERY_INT


def default_space(layers: int) -> dict[str, Dimension]:
    """What a practitioner would vary in fine-tuning an encoder of so many layers.

    Around the recipes of BERT (Devlin et al., 2019), RoBERTa (Liu et al., 2019) and ELECTRA (Clark et al., 2020);
    the rate reaches further up, for small encoders want more.
    """
    return {
        "learning_rate": Range(low=1e-5, high=3e-4, log=True),
        "batch_size": Choices(choices=[16, 32, 64]),
        "epochs": Range(low=2, high=5),
        "weight_decay": Range(low=0.0, high=0.1),
        "warmup_share": Range(low=0.0, high=0.2),
        "dropout": Range(low=0.0, high=0.3),
        "label_smoothing": Range(low=0.0, high=0.15),
        "class_weighting": Choices(choices=["none", "balanced"]),
        "max_length": Choices(choices=[64, 128]),
        "frozen_layers": Range(low=0, high=max(layers // 2, 1)),
        "layer_decay": Range(low=0.75, high=1.0),
    }


def default_mixing() -> dict[str, Dimension]:
    """What stage two varies beside the recipe: which pseudo-labels, how many, and how soft.

    The others are there to be asked for: ten trials tell little enough of fourteen parameters.
    """
    return {
        "pseudo_share": Range(low=0.3, high=0.9),
        "confidence": Range(low=0.0, high=0.7),
        "label_softness": Range(low=0.0, high=1.0),
    }


def most(dimension: Dimension) -> int:
    """The largest whole number that a dimension may take."""
    if isinstance(dimension, Range):
        return int(dimension.high)
    values = dimension.choices if isinstance(dimension, Choices) else [fixed_value(dimension)]
    return max(int(value) for value in values)


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


def most_epochs(space: Space, default: int) -> int:
    """The most epochs that a trial of the space may have. default: where the space does not say."""
    epochs = space.get("epochs", default)
    if isinstance(epochs, Range):
        return int(epochs.high)
    if isinstance(epochs, Choices):
        return max(int(choice) for choice in epochs.choices)
    return max(int(epochs.value), default) if isinstance(epochs, Fixed) else int(epochs)


def plain_space(space: Space) -> dict[str, Any]:
    """A space as JSON takes it."""
    return {name: _plain(value) if isinstance(value, BaseModel) else value for name, value in space.items()}


def _plain(dimension: BaseModel) -> dict[str, Any]:
    told = dimension.model_dump()
    return told if told.get("when") else {name: value for name, value in told.items() if name != "when"}


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


def fixed_value(dimension: Fixed | Value) -> Value:
    """The one value of a dimension that does not vary."""
    return dimension.value if isinstance(dimension, Fixed) else dimension


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
