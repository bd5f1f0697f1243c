"""A csv file with a column of days: what other series and events are read from."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from transfer.errors import UserError


def dated_rows(path: Path, time: str, value: str, where: str) -> Iterator[tuple[int, date, str]]:
    """(number of the line, day, text of the other column) of each row whose `value` is not empty.

    time, value: names of columns. where: the plan's key of the file, for messages. Times are ISO 8601 days, with or
    without a time of day, or months (2024-03), which stand for their first day. UTF-8, with or without a mark.
    Raises UserError where the file or a column is missing, a time cannot be read, or the file is no csv in UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            _check_columns(rows.fieldnames, (time, value), path, where)
            for row in rows:
                text = (row[value] or "").strip()
                if text:
                    yield rows.line_num, _day((row[time] or "").strip(), f"{where}: {path}, line {rows.line_num}"), text
    except OSError as error:
        raise UserError(f"{where}.path: cannot read {path}: {error.strerror}", "name a csv file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{where}.path: {path} is not UTF-8", "save it as UTF-8") from error
    except csv.Error as error:
        raise UserError(f"{where}.path: {path} is no csv file: {error}", "save it as csv, in UTF-8") from error


def _check_columns(names: object, wanted: tuple[str, ...], path: Path, where: str) -> None:
    there = list(names) if isinstance(names, list) else []
    for name in wanted:
        if name not in there:
            found = f"its columns: {', '.join(map(repr, there))}" if there else "it is empty"
            raise UserError(f"{where}: no column {name!r} in {path}", found)


def _day(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text[:10] if len(text) > 7 else f"{text}-01")
    except ValueError:
        raise UserError(f"{place}: {text!r} is no time", "write 2024-03-01 or 2024-03") from None
