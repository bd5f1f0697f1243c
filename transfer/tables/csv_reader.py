"""Rows of csv and tsv files, every value as the text that stands there."""

import csv
from collections.abc import Iterator
from pathlib import Path

from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows, has_undecodable
from transfer.tables.encoding_errors import open_text, wrong_encoding


def delimited_rows(
    path: Path, encoding: str | None, where: str, name: str, faults: BadRows | None = None
) -> Iterator[list[str] | None]:
    """The header, then the rows, each as long as the header; "" where a row ends early. Blank lines are skipped.

    Quoted values may hold line breaks and the separator; a quote in them is doubled. name: the file in messages.
    Raises UserError for a wrong encoding, a row longer than the header, and a quote that is never closed; with `faults`
    the row goes there, None comes in its place, and reading goes on at the next line.
    """
    if faults is not None:
        yield from _readable_rows(path, encoding, where, name, faults)
        return
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with open_text(path, encoding, where, name) as file:
        # strict: without it a quote that is never closed swallows the rest of the file in silence
        reader = csv.reader(file, delimiter=separator, strict=True)
        width, last = 0, 0
        try:
            for row in reader:
                if not _is_blank(row, width):
                    width = width or _checked_header(row, path, encoding, where, name)
                    yield row if len(row) == width else _fitted(row, width, f"{where}.path: {name}, line {last + 1}")
                last = reader.line_num
        except csv.Error as error:
            raise _broken_quote(error, f"{where}.path: {name}, line {last + 1}") from error


def _readable_rows(
    path: Path, encoding: str | None, where: str, name: str, faults: BadRows
) -> Iterator[list[str] | None]:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with open_text(path, encoding, where, name, keeps_misfits=True) as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        width, last = 0, 0
        while True:
            row: list[str] | None = None
            what = "a double quote that is not closed, or stands where none may"
            try:
                row = next(reader)
                if not width and not _is_blank(row, width):
                    width = _checked_header(row, path, encoding, where, name)
                what = "a byte that its encoding does not know" if any(map(has_undecodable, row)) else ""
                if not what and any(row[width:]):
                    what = f"{len(row)} values, but the header has {width}"
            except StopIteration:
                return
            except csv.Error:
                if not width:
                    raise
            if what:
                faults.row(name, last + 1, what)
                yield None
            elif row is not None and not _is_blank(row, width):
                yield row[:width] + [""] * (width - len(row))
            last = reader.line_num


def _is_blank(row: list[str], width: int) -> bool:
    return not row or (len(row) == 1 and width != 1 and not row[0].strip())


def _checked_header(row: list[str], path: Path, encoding: str | None, where: str, name: str) -> int:
    if any("\0" in column for column in row):  # UTF-16 decodes as UTF-8, with a NUL beside each letter
        raise wrong_encoding(path, encoding, where, name)
    return len(row)


def _fitted(row: list[str], width: int, place: str) -> list[str]:
    if any(row[width:]):
        raise UserError(
            f"{place}: {len(row)} values, but the header has {width}",
            f"the last one: {row[-1][:60]!r}",
            'a value with the separator in it stands in double quotes: "so, what"',
        )
    return row[:width] + [""] * (width - len(row))


def _broken_quote(error: csv.Error, place: str) -> UserError:
    if "field larger" in str(error) or "unexpected end" in str(error):
        return UserError(
            f"{place}: a double quote opens a value and is not closed within {csv.field_size_limit()} characters",
            'a value that begins with a quote ends with one, and a quote in it is doubled: "she said ""no"""',
        )
    return UserError(
        f"{place}: a double quote stands where none may: {error}",
        'a value that begins with a quote ends with one, and a quote in it is doubled: "she said ""no"""',
        "or save the table as jsonl, xlsx or parquet",
    )
