"""What a search varies: ranges, choices and fixed values, by the names of a recipe's parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

if TYPE_CHECKING:
    from optuna import Trial

Value = bool | int | float | str
Kind = Literal["float", "int", "name"]


class Range(BaseModel):
    """All numbers from low to high, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float = Field(description="smallest value tried")
    high: int | float = Field(description="largest value tried")
    log: bool = Field(default=False, description="search the logarithm: for what spans powers of ten")
    step: int | float | None = Field(
        default=None, description="distance between values; none: any value, 1 for whole numbers"
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low {self.low} lies above high {self.high}; swap them")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"log needs low above 0 and no step, got low {self.low} and step {self.step}")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step must be above 0, got {self.step}")
        return self


class Choices(BaseModel):
    """One of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: list[Value] = Field(description="the values tried", min_length=1)


Dimension = Range | Choices | Value


def _dimension_kind(value: Any) -> str:
    if isinstance(value, Range | Choices):
        return type(value).__name__.lower()
    if isinstance(value, dict):
        return "choices" if "choices" in value else "range"
    return "value"


# As a plan's field: told apart by its form, so that a mistake is told once and not for each kind.
DimensionField = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")] | Annotated[Value, Tag("value")],
    Discriminator(_dimension_kind),
]
Space = Mapping[str, Dimension]

# What each parameter takes: its kind, and the bounds within which it makes sense.
NAMES: dict[str, tuple[str, ...]] = {
    "class_weighting": ("none", "balanced"),
    "method": ("full", "lora"),
    "lora_targets": ("attention", "all"),
}
FLOATS: dict[str, tuple[float, float]] = {
    "learning_rate": (1e-8, 1.0),
    "weight_decay": (0.0, 1.0),
    "warmup_share": (0.0, 0.9),
    "dropout": (0.0, 0.9),
    "label_smoothing": (0.0, 0.9),
    "layer_decay": (0.1, 1.0),
}
INTS: dict[str, tuple[float, float]] = {
    "batch_size": (1, 4096),
    "epochs": (1, 1000),
    "max_length": (4, 8192),
    "frozen_layers": (0, 200),
    "lora_rank": (1, 1024),
}
MIXING: dict[str, tuple[float, float]] = {
    "pseudo_share": (0.0, 1.0),
    "confidence": (0.0, 1.0),
    "label_softness": (0.0, 1.0),
}


def check_space(space: Space, *, mixes: bool) -> None:
    """Raises ValueError that lists everything in a user's space that cannot be searched.

    mixes: whether stage two's parameters (pseudo_share, confidence, label_softness) belong to it.
    """
    problems = [text for name, dimension in space.items() for text in _problems(name, dimension, mixes)]
    if problems:
        raise ValueError("; ".join(problems))


def _problems(name: str, dimension: Dimension, mixes: bool) -> list[str]:
    floats = FLOATS | MIXING if mixes else FLOATS
    known = sorted(floats | INTS | NAMES)
    if name not in known:
        return [f"no parameter '{name}'; there are {', '.join(known)}"]
    values = _values(dimension)
    if name in NAMES:
        if isinstance(dimension, Range):
            return [f"{name} takes choices of {', '.join(NAMES[name])}, not a range"]
        return [
            f"{name} has no value {value!r}; there are {', '.join(NAMES[name])}"
            for value in values
            if value not in NAMES[name]
        ]
    low, high = floats.get(name) or INTS[name]
    return [
        f"{name} takes {'whole numbers' if name in INTS else 'numbers'} from {low:g} to {high:g}, got {value!r}"
        for value in values
        if isinstance(value, bool | str) or not low <= value <= high or (name in INTS and value != int(value))
    ]


def _values(dimension: Dimension) -> list[Value]:
    if isinstance(dimension, Range):
        return [dimension.low, dimension.high, *([] if dimension.step is None else [dimension.low + dimension.step])]
    return list(dimension.choices) if isinstance(dimension, Choices) else [dimension]


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
    """What stage two varies beside the recipe: which pseudo-labels, how many, and how soft."""
    return {
        "pseudo_share": Range(low=0.3, high=0.9),
        "confidence": Range(low=0.0, high=0.7),
        "label_softness": Range(low=0.0, high=1.0),
    }


def suggest(trial: "Trial", space: Space) -> dict[str, Any]:
    """A value for every parameter of the space, fixed ones included; the trial remembers those that vary."""
    return {name: _suggest(trial, name, dimension) for name, dimension in space.items()}


def _suggest(trial: "Trial", name: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        chosen: Any = trial.suggest_categorical(name, dimension.choices)
        return int(chosen) if name in INTS else chosen
    if not isinstance(dimension, Range):
        return int(dimension) if name in INTS else dimension
    low, high, step = dimension.low, dimension.high, dimension.step
    if name in INTS:
        return trial.suggest_int(name, int(low), int(high), log=dimension.log, step=int(step or 1))
    return trial.suggest_float(name, float(low), float(high), log=dimension.log, step=step)


def nearest(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """`values` moved to the nearest point of the space, parameter by parameter; fixed parameters are left out."""
    return {
        name: _nearest(values[name], dimension)
        for name, dimension in space.items()
        if name in values and isinstance(dimension, Range | Choices)
    }


def _nearest(value: Any, dimension: Range | Choices) -> Any:
    if isinstance(dimension, Choices):
        numbers = [c for c in dimension.choices if not isinstance(c, str)]
        if value in dimension.choices or isinstance(value, str) or not numbers:
            return value if value in dimension.choices else dimension.choices[0]
        return min(numbers, key=lambda choice: abs(choice - value))
    inside = min(max(value, dimension.low), dimension.high)
    if dimension.step is None:
        return inside
    most = int((dimension.high - dimension.low) / dimension.step)
    steps = min(round((inside - dimension.low) / dimension.step), most)
    return dimension.low + steps * dimension.step
