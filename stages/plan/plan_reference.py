"""docs/plan.md, made from the plan's models so that it cannot lag.

python -m stages.plan.plan_reference > docs/plan.md
"""

from collections.abc import Iterator

from pydantic import BaseModel

from stages.plan.plan_fields import PlanField, fields_of, flow
from stages.plan.schema import Plan
from studies.space.defaults import EVERY_INT, EVERY_NAME, EVERY_NUMBER, MIXING
from studies.space.dimensions import Choices, Fixed, Range

SEVERAL = "labellers"  # each has the keys of `labeller`, and they stand there
HEAD = """# The plan

One YAML file says everything about a run. `moodline init` writes one with every key in it; `moodline check PLAN` reads
it and all the data that it names. Unknown keys are errors, and all problems are reported together. Paths are relative
to the plan's folder; `$NAME` in a path is taken from the environment. On any command, `--set search.trials=4` overrides
a value.

This page is made from the code: `python -m stages.plan.plan_reference > docs/plan.md`.
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
    sections = [HEAD, *_sections(Plan, ""), SPACE.rstrip("\n"), *_parameters(), ""]
    forms = ((Range, "A range"), (Choices, "Choices"), (Fixed, "A value under a condition"))
    return "\n".join(sections) + "\n" + "\n".join("\n".join(_table(form, title)) for form, title in forms)


def _sections(model: type[BaseModel], place: str) -> Iterator[str]:
    yield from _table(model, f"`{place}`" if place else "Top level")
    for field in fields_of(model):
        if field.name != SEVERAL:
            for inner in field.models:
                yield from _sections(inner, f"{place}.{field.name}".removeprefix("."))


def _table(model: type[BaseModel], title: str) -> Iterator[str]:
    yield f"## {title}\n"
    if model.__doc__:
        yield model.__doc__.strip().split("\n\n")[0].replace("\n    ", " ") + "\n"
    yield "| key | default | what |"
    yield "|---|---|---|"
    for field in fields_of(model):
        yield f"| `{field.key}` | {_default(field)} | {field.description} |".replace("| null |", "| none |")
    yield ""


def _parameters() -> Iterator[str]:
    stages = dict.fromkeys(MIXING, ", stage two only")
    for name, choices in EVERY_NAME.items():
        yield f"| `{name}` | {' or '.join(choices)}{stages.get(name, '')} |"
    for name, (low, high) in sorted(EVERY_NUMBER.items()):
        kind, stage = "whole numbers" if name in EVERY_INT else "numbers", stages.get(name, "")
        yield f"| `{name}` | {kind} from {low:g} to {high:g}{stage} |"


def _default(field: PlanField) -> str:
    if field.is_required:
        return "**needed**"
    return "see below" if isinstance(field.default, BaseModel) else f"`{flow(field.default)}`"


if __name__ == "__main__":
    print(document(), end="")
