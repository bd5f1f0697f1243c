"""The plan's keys, read off its pydantic models: the presets and docs/plan.md both walk the plan through here."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from studies.space.dimensions import Choices, Fixed, Range


@dataclass(frozen=True)
class PlanField:
    """A key of the plan.

    name: in the model. key: in the file. default: None where the plan has to give a value. models: the models behind
    it, in the order of its annotation: itself, its alternatives or its items. Dimensions of a search space are left
    out. is_union: whether it takes something else than its model, such as null.
    """

    name: str
    key: str
    description: str | None
    is_required: bool
    default: Any
    models: tuple[type[BaseModel], ...]
    is_union: bool


def fields_of(model: type[BaseModel]) -> Iterator[PlanField]:
    """The keys of a model, in the order of its definition."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        yield PlanField(
            name=name,
            key=field.alias or name,
            description=field.description,
            is_required=field.is_required(),
            default=None if default is PydanticUndefined else default,
            models=tuple(_models(field.annotation)),
            is_union=get_origin(field.annotation) in {Union, UnionType},
        )


def flow(value: Any) -> str:
    """A value as YAML in one line; of a model, the keys that differ from its defaults."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    parts = get_args(annotation)
    for part in parts:
        yield from _models(part)
    is_model = not parts and isinstance(annotation, type) and issubclass(annotation, BaseModel)
    if is_model and annotation not in {Range, Choices, Fixed}:
        yield annotation
