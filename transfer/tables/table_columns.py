"""Columns of a table by the names the plan gives them, and their values as text.

Arrow arrays of one batch at a time; files guess types batch by batch, so a reader asks for text where it wants text.
"""

import datetime
import math
import unicodedata
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from transfer.errors import UserError, raise_all
from transfer.tables.sources import Source, did_you_mean


def positions(columns: Sequence[str], there: Sequence[str], source: Source, where: str, name: str) -> list[int]:
    """Where each of `columns` stands in a table's header, `there`; spaces around names and Unicode forms do not count.

    name: the file in messages. Raises UserError, or UserErrors, naming the plan's key of each column that is missing
    (with a near miss) or that stands there twice.
    """
    names = [_plain(column) for column in there]
    problems = [_not_once(column, there, source, where, name) for column in columns if names.count(_plain(column)) != 1]
    raise_all(f"{where}: {len(problems)} columns of {name}", problems)
    return [names.index(_plain(column)) for column in columns]


def array_of(values: Sequence[object]) -> pa.Array:
    """Python values as an array of their common type; as text where they have none, or are not valid Unicode."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())


def as_text(array: pa.Array, what: str) -> pa.Array:
    """The same values as strings, null for null and NaN; whole floats without their '.0'.

    what: names the column in the UserError raised where it holds lists or objects.
    """
    if pa.types.is_dictionary(array.type):
        return as_text(array.dictionary_decode(), what)
    if pa.types.is_nested(array.type):
        raise UserError(f"{what} holds {array.type}, not text")
    if pa.types.is_floating(array.type):
        return pa.array([_text(value) for value in array.to_pylist()], pa.string())
    try:
        return pc.cast(array, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(f"{what} holds {array.type} that is not text: {error}") from error


def key_of(column: str, source: Source) -> str:
    """The plan's key that names a column: 'time' for the column that the source's `time` gives."""
    return next((key for key in type(source).model_fields if getattr(source, key) == column), "text")


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "ignore").decode()  # halves of characters, as crawlers cut them
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _not_once(column: str, there: Sequence[str], source: Source, where: str, name: str) -> UserError:
    place = f"{where}.{key_of(column, source)}"
    if _plain(column) in map(_plain, there):
        return UserError(f"{place}: {name} has several columns {column!r}", "rename all but one")
    listed = ", ".join(there[:30]) + (", ..." if len(there) > 30 else "")
    hint = did_you_mean(column, there)
    if separator := next((mark for mark in "\t;|" if len(there) == 1 and mark in there[0]), None):
        hint = [f"its header has {separator!r} between names: save it as .csv with commas or as .tsv with tabs"]
    return UserError(f"{place}: no column {column!r} in {name}", f"its columns: {listed}", *hint)
