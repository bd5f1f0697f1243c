"""Rows of any source in batches, whatever the format, so that memory holds a batch and never a file."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from transfer.errors import UserError
from transfer.tables.bad_rows import BROKEN, BadRows
from transfer.tables.csv_reader import delimited_rows
from transfer.tables.hub_datasets import hub_batches
from transfer.tables.json_reader import Object, json_objects
from transfer.tables.sources import Source, display_path, source_files
from transfer.tables.table_columns import array_of, positions
from transfer.tables.xlsx_reader import sheet_rows

BATCH_ROWS = 10_000
LOOKED_AT = 1_000  # objects of a json file whose keys are its columns


def read_batches(
    source: Source, columns: Sequence[str], base: Path, where: str, rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """All rows of a source, in the order of its files, in batches of 1 to `rows` rows with `columns` in that order.

    csv and tsv give text; parquet and hub data sets give their own types; xlsx and json give each batch's common type,
    or text. columns.as_text makes text of all of them. base: the plan's folder. where: the plan's key of the source,
    in front of every message. Raises UserError for a missing, unreadable or empty file, a missing column, a wrong
    encoding, and where there is no row in any file.
    """
    if source.hub is not None:
        yield from hub_batches(source, columns, where, rows)
        return
    files, count = source_files(source, base, where), 0
    for file in files:
        for batch in read_file(file, source, columns, base, where, rows):
            count += batch.num_rows
            yield batch
    if not count:
        names = display_path(files[0], base) if len(files) == 1 else f"all {len(files)} files of {source.path}"
        raise UserError(f"{where}.path: no rows in {names}")


def read_file(
    file: Path,
    source: Source,
    columns: Sequence[str],
    base: Path,
    where: str,
    rows: int = BATCH_ROWS,
    bad_rows: BadRows | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of one of a source's files; see read_batches. A file with a header and no rows gives nothing.

    With `bad_rows`, rows of csv, tsv and jsonl that cannot be read go there; BROKEN stands for them in the first of
    `columns`, and null in the others.
    """
    name, suffix = display_path(file, base), file.suffix.lower()

    def find(there: Sequence[str]) -> list[int]:
        return positions(columns, there, source, where, name)

    if suffix == ".parquet":
        return _parquet_batches(file, columns, find, f"{where}.path: {name}", rows)
    if suffix == ".xlsx":
        return _row_batches(sheet_rows(file, source.sheet, where, name), columns, find, rows)
    if suffix in (".json", ".jsonl"):
        return _object_batches(json_objects(file, source.encoding, where, name, bad_rows), columns, find, rows)
    return _row_batches(delimited_rows(file, source.encoding, where, name, bad_rows), columns, find, rows)


Find = Callable[[Sequence[str]], list[int]]


def _row_batches(
    table: Iterator[Sequence[object] | None], columns: Sequence[str], find: Find, rows: int
) -> Iterator[pa.RecordBatch]:
    header = next(table, None)
    at = find([str(name) for name in header or ()])
    while chunk := list(islice(table, rows)):
        values = [[row[i] if row is not None else None for row in chunk] for i in at]
        yield _batch(values, chunk, columns)


def _object_batches(
    objects: Iterator[Object | None], columns: Sequence[str], find: Find, rows: int
) -> Iterator[pa.RecordBatch]:
    """Keys may be absent in some objects; one that none of the first LOOKED_AT has is a missing column."""
    first = list(islice(objects, LOOKED_AT))
    there = list(dict.fromkeys(key for row in first for key in row or ()))
    names = [there[i] for i in find(there)] if first else []
    objects = chain(first, objects)
    while chunk := list(islice(objects, rows)):
        values = [[row.get(name) if row is not None else None for row in chunk] for name in names]
        yield _batch(values, chunk, columns)


def _batch(values: list[list[object]], chunk: Sequence[object], columns: Sequence[str]) -> pa.RecordBatch:
    """values: one list per column. chunk: the rows, None where one is bad and marked by BROKEN."""
    for i in (i for i, row in enumerate(chunk) if row is None):
        values[0][i] = BROKEN
    return pa.record_batch([array_of(column) for column in values], names=list(columns))


def _parquet_batches(file: Path, columns: Sequence[str], find: Find, place: str, rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    try:
        # a buffer: without it a whole column of a row group is read at once
        with pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as table:
            there = table.schema_arrow.names
            names = [there[i] for i in find(there)]
            for batch in table.iter_batches(rows, columns=list(dict.fromkeys(names))):
                if batch.num_rows:
                    yield pa.record_batch([batch[name] for name in names], names=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault or the network's, not the file's: it is not passed over
        raise UserError(f"{place} is no whole parquet file", str(error).splitlines()[0]) from error
