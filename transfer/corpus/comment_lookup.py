"""The texts of some comments, looked up in their files by id: all rows are read, few are cleaned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transfer.corpus.comment_files import CommentFile, find_files
from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows
from transfer.tables.sources import CommentSource
from transfer.tables.table_columns import as_text
from transfer.text.cleaning import MISSING, clean_cell

ROWS = 65_536  # of a batch: Arrow hashes the ids that are looked for once per batch


def texts_by_id(sources: Sequence[CommentSource], base: Path, ids: pa.Array) -> Iterator[tuple[list[str], list[str]]]:
    """(ids, cleaned texts) of comments whose id is among `ids`, a batch at a time, in the order of files and rows.

    ids: strings, as read_comments gives them. An id that stands in several rows comes as often. What cannot be read is
    skipped in silence: classifying the comments has reported it.
    """
    for source in sources:
        try:
            files = find_files([source], base, "comments")
        except UserError:
            continue  # moved or removed since
        for file in files:
            yield from _of_file(file, base, ids)


def _of_file(file: CommentFile, base: Path, ids: pa.Array) -> Iterator[tuple[list[str], list[str]]]:
    source, first = file.source, 0
    columns = [source.text] if source.id is None else [source.text, source.id]
    try:
        for batch in file.batches(base, ROWS, BadRows(), columns):
            given = None if source.id is None else as_text(batch.column(1), "the id")
            named = _ids(given, file.label, first, batch.num_rows)
            at = pc.indices_nonzero(pc.is_in(named, value_set=ids))
            if len(at):
                texts = as_text(batch.column(0).take(at), "the text").to_pylist()
                yield named.take(at).to_pylist(), [clean_cell(text) for text in texts]
            first += batch.num_rows
    except (UserError, OSError):
        return  # a file that breaks off, or cannot be opened


def _ids(given: pa.Array | None, label: str, first: int, rows: int) -> pa.Array:
    """Each row's id as text: the file's own, else FILE:ROW."""
    numbers = pa.array(np.arange(first, first + rows)).cast(pa.string())
    by_row = pc.binary_join_element_wise(label, numbers, ":")
    if given is None:
        return by_row
    plain = pc.utf8_trim_whitespace(given.cast(pa.string()))
    is_missing = pc.is_in(plain, value_set=pa.array(sorted(MISSING)))
    return pc.coalesce(pc.if_else(is_missing, None, plain), by_row)
