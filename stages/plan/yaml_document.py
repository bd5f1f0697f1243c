"""A YAML file into plain values, each with the line on which it stands, and `--set` on top of it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from transfer.errors import UserError

Place = tuple[str | int, ...]
# YAML 1.1, which PyYAML reads, takes 1e-5 for text; the 1.2 rule below takes it for the number that is meant.
NUMBER = re.compile(r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?|\.[\d_]+(?:[eE][-+]?\d+)?)$")


class _Loader(yaml.SafeLoader):
    pass


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {"tag:yaml.org,2002:timestamp"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))


class Document:
    """A plan as it was written. values: plain data. lines: the line (from 1) of each key and list item."""

    def __init__(self, path: Path, values: dict[str, Any], lines: dict[Place, int]) -> None:
        self.path, self.values, self.lines = path, values, lines
        self.overrides: dict[Place, str] = {}

    def override(self, setting: str) -> None:
        """Takes in one `--set key.of.plan=value`; the value is read as YAML. Raises UserError where it has no place."""
        key, equals, value = setting.partition("=")
        place = parse_place(key)
        if not equals or not place:
            raise UserError(f"--set {setting}: a key and a value are needed", "as in --set search.trials=4")
        holder: Any = self.values
        for i, part in enumerate(place[:-1]):
            holder = _step(holder, part, setting, place[: i + 1])
        _set(holder, place[-1], parse_value(value, f"--set {setting}"), setting)
        self.overrides[place] = setting

    def where(self, place: Place) -> str:
        """How a message names a place: "plan.yaml:7, search.trials", or the --set that put it there."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.overrides:
                return f"--set {self.overrides[place[:end]]}"
        line = next((self.lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in self.lines), None)
        file = f"{self.path.name}:{line}" if line else self.path.name
        return f"{file}, {written(place)}" if place else file


def read_document(path: Path) -> Document:
    """The YAML file. Raises UserError where it is missing, not UTF-8, no YAML, no mapping, or names a key twice."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such plan", "write one with: moodline init") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8", "save the plan as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    try:
        root = yaml.compose(text, Loader=_Loader)
        values = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise UserError(f"{path.name}:{mark.line + 1 if mark else 1}: {error.problem}", "this is no YAML") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path.name}: {error}", "this is no YAML") from None
    if not isinstance(values, dict) or root is None:
        raise UserError(f"{path.name}: keys and values are needed", "write a plan to begin from with: moodline init")
    lines: dict[Place, int] = {}
    _mark(root, (), lines, path)
    return Document(path, values, lines)


def parse_place(key: str) -> Place:
    """("comments", 0, "path") of "comments[0].path" or "comments.0.path"."""
    parts = [part for part in re.split(r"[.\[\]]+", key.strip()) if part]
    return tuple(int(part) if part.isdigit() else part for part in parts)


def written(place: Sequence[str | int]) -> str:
    """ "comments[0].path" of ("comments", 0, "path")."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def _mark(node: yaml.Node, place: Place, lines: dict[Place, int], path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise UserError(
                    f"{path.name}:{key.start_mark.line + 1}, {written((*place, key.value))}: the key stands here twice",
                    "YAML would keep only the last; remove one",
                )
            seen.add(key.value)
            lines[(*place, key.value)] = key.start_mark.line + 1
            _mark(value, (*place, key.value), lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[(*place, i)] = item.start_mark.line + 1
            _mark(item, (*place, i), lines, path)


def parse_value(value: str, setting: str) -> Any:
    """A value given on the command line, read as YAML. Raises UserError where it is none."""
    try:
        return yaml.load(value, Loader=_Loader)
    except yaml.YAMLError:
        raise UserError(f"{setting}: the value is no YAML", "quote it") from None


def _step(holder: Any, part: str | int, setting: str, place: Place) -> Any:
    if isinstance(holder, dict) and isinstance(part, str):
        if holder.get(part) is None:
            holder[part] = {}
        return holder[part]
    if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
        return holder[part]
    raise UserError(f"--set {setting}: the plan has nothing at {written(place)}")


def _set(holder: Any, part: str | int, value: Any, setting: str) -> None:
    in_list = isinstance(holder, list) and isinstance(part, int) and part < len(holder)
    if not in_list and not (isinstance(holder, dict) and isinstance(part, str)):
        raise UserError(f"--set {setting}: the plan has nothing at {part!r} there")
    holder[part] = value
