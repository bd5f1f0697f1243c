"""Rows of csv and tsv files, every value as the text that stands there."""

import csv
from collections.abc import Iterator
from pathlib import Path

from transfer.errors import UserError
from transfer.tables.bad_rows import UNDECODABLE, BadRows, has_undecodable
from transfer.tables.encoding_errors import open_text, wrong_encoding

QUOTING = 'a value that begins with a quote ends with one, and a quote in it is doubled: "she said ""no"""'


def delimited_rows(
    path: Path, encoding: str | None, where: str, name: str, bad_rows: BadRows | None = None
) -> Iterator[list[str] | None]:
    """The header, then the rows, each as long as the header; "" where a row ends early. Blank lines are skipped.

    Quoted values may hold line breaks and the separator; a quote in them is doubled. name: the file in messages.
    Raises UserError for a wrong encoding, a row longer than the header, and a quote that is never closed; with
    `bad_rows` the row goes there, None comes in its place, and reading goes on at the next line.
    """
    with open_text(path, encoding, where, name, keeps_undecodable=bad_rows is not None) as file:
        # strict: without it a quote that is never closed swallows the rest of the file in silence
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        width = 0
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if bad_rows is None or not width:
                    raise _broken_quote(error, f"{where}.path: {name}, line {line}") from error
                bad_rows.row(name, line, "a double quote that is not closed, or stands where none may")
                yield None
                continue
            if not row or (len(row) == 1 and width != 1 and not row[0].strip()):
                continue  # a blank line
            if not width and any("\0" in column for column in row):  # UTF-16 decodes as UTF-8, with a NUL a letter
                raise wrong_encoding(path, encoding, where, name)
            width = width or len(row)
            problem = "" if bad_rows is None or not any(map(has_undecodable, row)) else UNDECODABLE
            if not problem and any(row[width:]):
                problem = f"{len(row)} values, but the header has {width}"
            if problem and bad_rows is None:
                raise UserError(
                    f"{where}.path: {name}, line {line}: {problem}",
                    f"the last one: {row[-1][:60]!r}",
                    'a value with the separator in it stands in double quotes: "so, what"',
                )
            if problem and bad_rows is not None:
                bad_rows.row(name, line, problem)
            yield None if problem else row if len(row) == width else row[:width] + [""] * (width - len(row))


def _broken_quote(error: csv.Error, place: str) -> UserError:
    if "field larger" in str(error) or "unexpected end" in str(error):
        limit = csv.field_size_limit()
        return UserError(f"{place}: a double quote opens a value and is not closed within {limit} characters", QUOTING)
    return UserError(
        f"{place}: a double quote stands where none may: {error}",
        QUOTING,
        "or save the table as jsonl, xlsx or parquet",
    )
