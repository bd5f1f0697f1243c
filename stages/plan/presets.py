"""Plans to begin from, each written with every key: what the preset sets, and the rest as comments."""

import shlex
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from stages.plan.plan_fields import PlanField, fields_of, flow
from stages.plan.schema import Plan
from stages.results.stage_result import Record
from transfer.errors import UserError

PRESETS = ("quickstart", "emotion-six", "korean-comments")  # preset_files/*.yaml
WIDTH = 44  # column at which the comments begin
_NOTE = "# All keys stand here; those behind a # have the value shown unless you change it."


class WrittenPlan(Record):
    """plan: the file. next: the command that comes next."""

    plan: str
    preset: str
    next: str


def write_preset(preset: str, path: Path) -> WrittenPlan:
    """Writes a preset's plan. Raises UserError where the file exists, or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(preset_text(preset))
    except FileExistsError:
        raise UserError(f"{path}: is there already, and is not overwritten", "name another file with --out") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "name another file with --out") from error
    return WrittenPlan(plan=str(path), preset=preset, next=f"moodline check {shlex.quote(str(path))}")


def preset_text(preset: str) -> str:
    """The preset's plan as YAML, below its file's own comment; a key left at its default stands there as a comment."""
    given = files("stages.plan").joinpath("preset_files", f"{preset}.yaml").read_text("utf-8")
    head = [line for line in given.splitlines() if line.startswith("#")]
    return "\n".join([*head, _NOTE, "", *_block(Plan, yaml.safe_load(given), "")]) + "\n"


def _block(model: type[BaseModel], values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for field in fields_of(model):
        value = values.get(field.name)
        if isinstance(value, dict) and field.models:
            yield _line(f"{indent}{field.name}:", field)
            yield from _block(field.models[0], value, indent + "  ")
        elif field.name in values:
            yield from _entry(field, value, indent)
        elif isinstance(field.default, BaseModel) and not field.is_union:
            yield _line(f"{indent}# {field.name}:", field)
            inner = fields_of(type(field.default))
            yield from (f"{indent}# {_line(f'  {key.name}: {flow(key.default)}', key)}" for key in inner)
        elif not field.is_required:
            yield _line(f"{indent}# {field.name}: {flow(field.default)}", field)


def _entry(field: PlanField, value: Any, indent: str) -> Iterator[str]:
    line = f"{indent}{field.name}: {flow(value)}"
    if len(line) <= WIDTH * 2 and not (isinstance(value, list) and value and isinstance(value[0], dict)):
        yield _line(line, field)
        return
    yield _line(f"{indent}{field.name}:", field)
    items = value if isinstance(value, list) else [value]
    yield from (f"{indent}  - {flow(item)}" for item in items)


def _line(text: str, field: PlanField) -> str:
    return f"{text:<{WIDTH}} # {field.description}" if field.description else text
