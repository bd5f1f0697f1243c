"""Objects of json files (one array, or objects one after another) and of jsonl files, read piece by piece."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from transfer.errors import UserError
from transfer.tables.bad_rows import UNDECODABLE, BadRows, has_undecodable
from transfer.tables.encoding_errors import open_text

PIECE = 1 << 20  # characters read at a time
LARGEST = 1 << 26  # characters of one object; longer than that is a broken file

Object = dict[str, object]


def json_objects(
    path: Path, encoding: str | None, where: str, name: str, bad_rows: BadRows | None = None
) -> Iterator[Object | None]:
    """The objects of a file, in order. name: the file in messages.

    Raises UserError for a wrong encoding, broken JSON (with its line) and anything that is not an object. With
    `bad_rows` a line that is broken goes there, and None comes in its place; of an array, the
    end of a broken object is unknown, so it raises.
    """
    with open_text(path, encoding, where, name, keeps_undecodable=bad_rows is not None) as file:
        place = f"{where}.path: {name}"
        if path.suffix.lower() == ".json" and _opens_array(file):
            yield from _array_objects(file, place)
        else:
            yield from _line_objects(file, place, name, bad_rows)


def _opens_array(file: TextIO) -> bool:
    """Whether the file begins with "["; the file stands after it then, and at its start otherwise."""
    while (character := file.read(1)).isspace():
        pass
    if character != "[":
        file.seek(0)
    return character == "["


def _line_objects(file: TextIO, place: str, name: str, bad_rows: BadRows | None) -> Iterator[Object | None]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        value, problem = None, UNDECODABLE if bad_rows is not None and has_undecodable(line) else ""
        try:
            value = None if problem else json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if bad_rows is None:
                if isinstance(error, RecursionError):
                    raise
                raise UserError(
                    f"{place}, line {number}: no JSON: {error.msg} at column {error.colno}",
                    f"the line: {line.strip()[:60]}",
                    "expected one object a line, or in a .json file an array of objects",
                ) from error
            problem = "no JSON"
        if bad_rows is None:
            yield _checked(value, f"{place}, line {number}")
        elif problem or not isinstance(value, dict):
            bad_rows.row(name, number, problem or "no object with the columns as keys")
            yield None
        else:
            yield value


def _array_objects(file: TextIO, place: str) -> Iterator[Object]:
    """Objects of an array whose "[" has been read, with no more than a piece of it in memory."""
    decode, buffer, at, count = json.JSONDecoder().raw_decode, "", 0, 0
    piece = PIECE
    while True:
        while at < len(buffer) and (buffer[at].isspace() or (count and buffer[at] == ",")):
            at += 1
        if buffer.startswith("]", at):
            return
        try:
            value, at = decode(buffer, at)
        except json.JSONDecodeError as error:
            more = file.read(piece) if len(buffer) - at < LARGEST else ""
            if not more:
                raise UserError(
                    f"{place}, object {count + 1}: no JSON: {error.msg}",
                    f"it begins: {buffer[at : at + 60]!r}" if buffer[at:] else "the file ends without ']'",
                ) from error
            # Twice as much each time, so that reading a long object again from its start stays cheap.
            buffer, at, piece = buffer[at:] + more, 0, piece * 2
            continue
        count, piece = count + 1, PIECE
        yield _checked(value, f"{place}, object {count}")


def _checked(value: object, place: str) -> Object:
    if not isinstance(value, dict):
        raise UserError(f"{place}: an object with the columns as keys is expected, got {json.dumps(value)[:60]}")
    return cast("Object", value)
