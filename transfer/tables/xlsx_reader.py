"""Rows of an xlsx sheet, cell by cell, without loading the whole sheet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from transfer.errors import UserError
from transfer.tables.sources import did_you_mean


def sheet_rows(path: Path, sheet: str | None, where: str, name: str) -> Iterator[list[object]]:
    """The header as text, then the rows, each as long as the header; None for an empty cell, empty rows skipped.

    Formulas stand with the value that the spreadsheet saved. sheet: default the first. name: the file in messages.
    Raises UserError where the file is no workbook or has no such sheet. Its shared texts are held in memory: openpyxl
    reads them first.
    """
    book = _opened(path, where, name)
    try:
        table = _sheet(book, sheet, where, name)
        table.reset_dimensions()  # some programs write a wrong size, and openpyxl would believe it
        width = 0
        for cells in table.iter_rows(values_only=True):
            if not any(cell is not None for cell in cells):
                continue
            if not width:
                width = max(i for i, cell in enumerate(cells) if cell is not None) + 1
                yield ["" if cell is None else str(cell) for cell in cells[:width]]
            else:
                yield [*cells[:width], *[None] * (width - len(cells))]
    finally:
        book.close()


def _opened(path: Path, where: str, name: str) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, read_only=True, data_only=True)
    except OSError as error:
        raise UserError(f"{where}.path: {name} cannot be read: {error.strerror}") from error
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        what = "is no xlsx workbook" if path.stat().st_size else "is empty (0 bytes)"
        raise UserError(
            f"{where}.path: {name} {what}",
            "an older or an encrypted one is opened in its program and saved again as .xlsx",
        ) from error


def _sheet(book: Any, sheet: str | None, where: str, name: str) -> Any:
    if sheet is None:
        return book.worksheets[0]
    if sheet not in book.sheetnames:
        raise UserError(
            f"{where}.sheet: no sheet {sheet!r} in {name}",
            f"its sheets: {', '.join(book.sheetnames)}",
            *did_you_mean(sheet, book.sheetnames),
        )
    return book[sheet]
