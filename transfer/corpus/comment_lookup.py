"""The texts of some comments, looked up in their files by id: all rows are read, few are cleaned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transfer.corpus.comment_files import comment_files
from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows
from transfer.tables.readers import read_batches, read_file
from transfer.tables.sources import CommentSource, file_label
from transfer.tables.table_columns import as_text
from transfer.text.cleaning import MISSING, clean_cell

ROWS = 65_536  # of a batch: Arrow hashes the ids that are looked for once per batch


def texts_by_id(
    sources: Sequence[CommentSource], base: Path, ids: pa.Array, where: str = "comments"
) -> Iterator[tuple[list[str], list[str]]]:
    """(ids, cleaned texts) of comments whose id is among `ids`, a batch at a time, in the order of files and rows.

    ids: strings, as read_comments gives them. An id that stands in several rows comes as often. What cannot be read is
    skipped in silence: classifying the comments has reported it.
    """
    for source, path in _files(sources, base, where):
        label = f"{source.hub}/{source.split}" if source.hub is not None else file_label(source, path, base)
        yield from _of_file(source, path, label, base, ids, where)


def _files(sources: Sequence[CommentSource], base: Path, where: str) -> Iterator[tuple[CommentSource, Path]]:
    """Those that are still there."""
    for source in sources:
        try:
            files = [path for _, path, _ in comment_files([source], base, where)]
        except UserError:
            continue  # moved or removed since
        yield from ((source, path) for path in files)


def _of_file(
    source: CommentSource, path: Path, label: str, base: Path, ids: pa.Array, where: str
) -> Iterator[tuple[list[str], list[str]]]:
    columns, first = [source.text, *([source.id] if source.id is not None else [])], 0
    try:
        for batch in _batches(source, path, columns, base, where):
            given = as_text(batch.column(1), f"{where}.id") if source.id is not None else None
            named = _ids(given, label, first, batch.num_rows)
            at = pc.indices_nonzero(pc.is_in(named, value_set=ids))
            if len(at):
                texts = as_text(batch.column(0).take(at), f"{where}.text").to_pylist()
                yield named.take(at).to_pylist(), [clean_cell(text) for text in texts]
            first += batch.num_rows
    except (UserError, OSError):
        return  # a file that breaks off, or cannot be opened


def _batches(
    source: CommentSource, path: Path, columns: Sequence[str], base: Path, where: str
) -> Iterator[pa.RecordBatch]:
    if source.hub is not None:
        return read_batches(source, columns, base, where, ROWS)
    return read_file(path, source, columns, base, where, ROWS, BadRows())


def _ids(given: pa.Array | None, label: str, first: int, rows: int) -> pa.Array:
    """Each row's id as text: the file's own, else FILE:ROW."""
    numbers = pa.array(np.arange(first, first + rows)).cast(pa.string())
    by_row = pc.binary_join_element_wise(label, numbers, ":")
    if given is None:
        return by_row
    plain = pc.utf8_trim_whitespace(given.cast(pa.string()))
    is_missing = pc.is_in(plain, value_set=pa.array(sorted(MISSING)))
    return pc.coalesce(pc.if_else(is_missing, None, plain), by_row)
