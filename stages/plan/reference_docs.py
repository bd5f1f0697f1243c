"""docs/plan.md, made from the plan's models so that it cannot lag.

python -m stages.plan.reference_docs > docs/plan.md
"""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stages.plan.presets import flow, model_of
from stages.plan.schema import Plan
from studies.space.defaults import EVERY_INT, EVERY_NAME, EVERY_NUMBER, MIXING
from studies.space.dimensions import Choices, Fixed, Range

SEVERAL = "labellers"  # each is what `labeller` is, and told there
HEAD = """# The plan

One YAML file says everything about a run. `moodline init` writes one with every key in it; `moodline check PLAN` reads
it and all the data that it names. Unknown keys are errors, and all problems are told at once. Paths are relative to the
plan's folder; `$NAME` in a path is taken from the environment. On any command, `--set search.trials=4` overrides a
value.

This page is made from the code: `python -m stages.plan.reference_docs > docs/plan.md`.
"""
SPACE = """## Search spaces

A space (`search.space`, `further.space`) names parameters that are searched otherwise than by default. Each is a range
(`{low, high}`, with `log: true` or a `step`), `{choices: [...]}`, or a plain value that fixes it. With `when` a
parameter is tried only where others have certain values. What a plan leaves out is searched as a practitioner would;
stage two takes stage one's space, and its own on top. [Searching](search.md) shows examples.

| parameter | takes |
|---|---|
"""


def document() -> str:
    """The whole page, as Markdown."""
    sections = [HEAD, *_sections(Plan, ""), SPACE.rstrip("\n"), *_parameters(), ""]
    forms = ((Range, "A range"), (Choices, "Choices"), (Fixed, "A value under a condition"))
    return "\n".join(sections) + "\n" + "\n".join("\n".join(_table(form, title)) for form, title in forms)


def _sections(model: type[BaseModel], place: str) -> Iterator[str]:
    yield from _table(model, f"`{place}`" if place else "Top level")
    for name, field in model.model_fields.items():
        if name == SEVERAL:
            continue
        for inner in _inner(field.annotation):
            yield from _sections(inner, f"{place}.{name}".removeprefix("."))


def _table(model: type[BaseModel], title: str) -> Iterator[str]:
    yield f"## {title}\n"
    if model.__doc__:
        yield model.__doc__.strip().split("\n\n")[0].replace("\n    ", " ") + "\n"
    yield "| key | default | what |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{field.alias or name}` | {_default(field)} | {field.description} |".replace("| null |", "| none |")
    yield ""


def _parameters() -> Iterator[str]:
    stages = dict.fromkeys(MIXING, ", stage two only")
    for name, choices in EVERY_NAME.items():
        yield f"| `{name}` | {' or '.join(choices)}{stages.get(name, '')} |"
    for name, (low, high) in sorted(EVERY_NUMBER.items()):
        kind, stage = "whole numbers" if name in EVERY_INT else "numbers", stages.get(name, "")
        yield f"| `{name}` | {kind} from {low:g} to {high:g}{stage} |"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return "**needed**"
    return "see below" if isinstance(default, BaseModel) else f"`{flow(default)}`"


def _inner(annotation: Any) -> list[type[BaseModel]]:
    """The models behind a field: itself, beside None or others, or in a list."""
    found = model_of(annotation) if not get_args(annotation) else None
    if found is not None:
        return [found]
    inner = [model for arg in get_args(annotation) for model in _inner(arg)]
    return [model for model in inner if model not in {Range, Choices, Fixed}]


if __name__ == "__main__":
    print(document(), end="")
