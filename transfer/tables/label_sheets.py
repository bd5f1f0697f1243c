"""Small tables for people and programs, csv, xlsx or parquet: written whole, and read as text.

What begins like a formula is written so that a spreadsheet shows it and does not run it: comments are not trusted.
"""

import codecs
import csv
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transfer.atomic_write import atomic_file
from transfer.errors import UserError
from transfer.tables.csv_reader import delimited_rows
from transfer.tables.table_columns import as_text
from transfer.tables.xlsx_reader import sheet_rows

Row = dict[str, str | None]
FORMATS = (".csv", ".xlsx", ".parquet")
# An apostrophe more keeps a spreadsheet from running it (OWASP, CSV injection); it is removed on reading.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def check_format(path: Path, where: str) -> None:
    """Raises UserError where the name ends in none of FORMATS."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{where}: {path} ends in {path.suffix or 'nothing'!r}", f"known formats: {', '.join(FORMATS)}")


def write_sheet(path: Path, columns: Mapping[str, Sequence[Any]], where: str) -> None:
    """Columns of equal length, whole or not at all; a file that is there is replaced.

    csv is UTF-8 with a byte order mark, which Excel needs for Korean. Numbers are written to their last digit.
    Raises UserError for an unknown format or a folder that is not there.
    """
    check_format(path, where)
    if not path.absolute().parent.is_dir():
        raise UserError(f"{where}: no folder {path.absolute().parent}")
    with atomic_file(path) as part:
        if path.suffix.lower() == ".parquet":
            pq.write_table(pa.table({name: pa.array(list(values)) for name, values in columns.items()}), part)
        elif path.suffix.lower() == ".xlsx":
            _write_xlsx(part, columns)
        else:
            _write_csv(part, columns)


def read_sheet(path: Path, encoding: str | None, where: str) -> tuple[list[str], list[Row]]:
    """The header, and each row as text by column, None where a cell is empty.

    encoding: of a csv, default UTF-8. Raises UserError where the file is not there, broken or in another encoding.
    """
    check_format(path, where)
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise UserError(f"{where}: no encoding {encoding!r}", "common ones: utf-8, cp949, utf-16, cp1252") from None
    if not path.is_file():
        raise UserError(f"{where}: no file {path}")
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path, where)
    if path.suffix.lower() == ".xlsx":
        rows = [[_cell(value) for value in row] for row in sheet_rows(path, None, where, path.name)]
    else:
        found = filter(None, delimited_rows(path, encoding, where, path.name))
        rows = [[(value[1:] if _GUARDED.match(value) else value) or None for value in row] for row in found]
    header = [str(name).strip() for name in rows[0]] if rows else []
    return header, [dict(zip(header, row, strict=True)) for row in rows[1:]]


def _write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_guarded(value) for value in row])


def _write_xlsx(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet()

    def cell(value: Any) -> Any:
        text = isinstance(value, str)
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if text else _plain(value))
        if text:
            made.data_type = "s"  # also where it begins with "="
        return made

    for row in [list(columns), *zip(*columns.values(), strict=True)]:
        sheet.append([cell(value) for value in row])
    book.save(path)


def _read_parquet(path: Path, where: str) -> tuple[list[str], list[Row]]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{where}: {path.name} is no whole parquet file", str(error).splitlines()[0]) from error
    names = table.schema.names
    columns = [as_text(table.column(name).combine_chunks(), f"{where}: {name}").to_pylist() for name in names]
    return names, [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _guarded(value: Any) -> Any:
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return repr(value) if isinstance(value, float) else _plain(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
