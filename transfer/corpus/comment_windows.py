"""Comments in windows of a file's rows: a run can skip those that an earlier one classified, and pass over bad rows."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from transfer.corpus.comment_files import CommentFile, check_first_rows, find_files
from transfer.corpus.comment_stream import COMMENT_COLUMNS, CommentReader
from transfer.errors import UserError
from transfer.tables.bad_rows import BadRows
from transfer.tables.readers import BATCH_ROWS
from transfer.tables.sources import CommentSource


@dataclass(frozen=True)
class Window:
    """The comments of one file's rows [first, first + size). file: index in comment_files.

    rows: the usable ones, of COMMENT_COLUMNS; None where they were not wanted.
    dropped: counts as read_comments', and "broken row", of these rows alone.
    """

    file: int
    first: int
    rows: pa.Table | None
    dropped: Counter[str]


def read_windows(
    sources: Sequence[CommentSource],
    base: Path,
    timezone: str,
    salt: str,
    size: int,
    wanted: Callable[[int, int], bool],
    bad_rows: BadRows,
    files: Sequence[tuple[CommentSource, Path]] | None = None,
) -> Iterator[Window]:
    """All comments in windows of `size` rows of a file, in the order of sources, files and rows; see read_comments.

    files: those to be read, as `comment_files` gave them, with the sources of `sources` themselves; None for all. Files
    added since are left for the next run, and a window's `file` is an index among these.
    wanted: (file, first row of the window) -> whether its comments are needed; others cost no cleaning.
    bad_rows: rows and files that cannot be read go there and are passed over. Raises UserError, or UserErrors, where no
    file of a source can be read, before it returns; and while it is read, for times of which none can be read.
    """
    found = find_files(sources, base, "comments")
    if files is not None:
        found = _select(found, files)
    broken = check_first_rows(found, base, bad_rows)
    readers = [CommentReader(file, i, timezone, salt) for i, file in enumerate(found) if i not in broken]
    return itertools.chain.from_iterable(_windows(reader, base, size, wanted, bad_rows) for reader in readers)


def _select(found: Sequence[CommentFile], files: Sequence[tuple[CommentSource, Path]]) -> list[CommentFile]:
    there = {(id(file.source), file.path): file for file in found}
    if gone := [path for source, path in files if (id(source), path) not in there]:
        raise UserError(f"comments: {gone[0]} was removed while comments were read", "run again")
    return [there[id(source), path] for source, path in files]


def _windows(
    reader: CommentReader, base: Path, size: int, wanted: Callable[[int, int], bool], bad_rows: BadRows
) -> Iterator[Window]:
    slices = _slices(reader.file, base, size, bad_rows)
    for number, parts in itertools.groupby(slices, lambda part: part[0] // size):
        first, dropped, table = number * size, Counter[str](), None
        if wanted(reader.index, first):
            made = [reader.read(rows, start, dropped) for start, rows in parts]
            table = pa.Table.from_batches([rows for rows in made if rows is not None], COMMENT_COLUMNS)
        else:
            for _ in parts:  # read on to the next window
                pass
            reader.skip_rows()
        yield Window(reader.index, first, table, dropped)


def _slices(file: CommentFile, base: Path, size: int, bad_rows: BadRows) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(number of the first row, rows), none across a multiple of `size`; a file that breaks off ends there."""
    start = 0
    try:
        for batch in file.batches(base, min(size, BATCH_ROWS), bad_rows):
            at = 0
            while at < batch.num_rows:
                rows = batch.slice(at, size - (start + at) % size)
                yield start + at, rows
                at += rows.num_rows
            start += batch.num_rows
    except UserError as problem:
        bad_rows.file(file.label, f"from row {start} on: {str(problem).splitlines()[0]}")
