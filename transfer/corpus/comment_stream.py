"""Comments by the million, a batch at a time: cleaned, dated, authors hashed before anything else sees them."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transfer.corpus.comment_files import CommentFile, check_first_rows, find_files
from transfer.errors import UserError
from transfer.tables.bad_rows import BROKEN
from transfer.tables.readers import BATCH_ROWS
from transfer.tables.sources import CommentSource
from transfer.tables.table_columns import as_text
from transfer.tables.timestamps import UTC_TIME, utc_times
from transfer.text.author_hashing import hash_authors
from transfer.text.cleaning import MISSING, clean_cell, key_hash

COMMENT_COLUMNS = pa.schema(
    {
        "id": pa.string(),
        "text": pa.string(),
        "key": pa.string(),
        "time": UTC_TIME,
        "author": pa.string(),
        "source": pa.string(),
        "file": pa.int32(),
        "row": pa.int64(),
    }
)
# So many unreadable times, and not one that can be read, are a wrong column or an unknown form, and no noise.
CLEARLY_WRONG = 20
MASKED = "masked author"  # how such comments are counted
_MASK = r"[*●○]{2,}"


def read_comments(
    sources: Sequence[CommentSource],
    base: Path,
    timezone: str,
    salt: str,
    where: str = "comments",
    rows: int = BATCH_ROWS,
    dropped: Counter[str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Usable comments in the order of sources, files and rows, in batches of 1 to `rows` rows of COMMENT_COLUMNS.

    id: from the source's column, else FILE:ROW, where FILE is the path without its ending below the glob's folder.
    text: cleaned, never empty. key: cleaning.key_hash of it. time: null where there is none or none can be read; one
    without a zone is in `timezone` (an IANA name). author: 16 hex digits of BLAKE2b keyed by `salt`; the name goes no
    further. file: index in comment_files. row: number of the row in its file, from 0, with the unusable ones counted.
    dropped: counts, as rows are read, "empty text" (left out), "no time" and "unreadable time" (kept, time null), and
    MASKED (kept; a name such as kim****).

    Before it returns, the first row of every file is looked at: a missing file, column or row raises UserError, several
    raise UserErrors. While it is read, UserError comes of a broken row, and of times of which none can be read.
    """
    files = find_files(sources, base, where)
    check_first_rows(files, base, None)
    counts = Counter[str]() if dropped is None else dropped
    readers = [CommentReader(file, index, timezone, salt) for index, file in enumerate(files)]
    return itertools.chain.from_iterable(_file_comments(reader, base, rows, counts) for reader in readers)


def _file_comments(reader: "CommentReader", base: Path, rows: int, dropped: Counter[str]) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in reader.file.batches(base, rows, None):
        comments = reader.read(batch, start, dropped)
        if comments is not None:
            yield comments
        start += batch.num_rows


class CommentReader:
    """Makes comments of one file's rows. index: of the file. timezone: of times without one. salt: of author hashes."""

    def __init__(self, file: CommentFile, index: int, timezone: str, salt: str) -> None:
        self.file, self.index = file, index
        self._zone = ZoneInfo(timezone)
        self._key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
        self._has_readable_time, self._unreadable = False, list[str]()

    def read(self, batch: pa.RecordBatch, start: int, dropped: Counter[str]) -> pa.RecordBatch | None:
        """The usable ones of the file's rows from `start` on, of COMMENT_COLUMNS; None where there is none.

        batch: of the file's columns. dropped: counted into; see read_comments, and "broken row". Raises UserError where
        many times were there by now and none could be read.
        """
        values = {key: batch.column(i) for i, key in enumerate(self.file.columns)}
        given = as_text(values["text"], f"{self.file.where}.text").to_pylist()
        broken = given.count(BROKEN)
        texts = ["" if text == BROKEN else clean_cell(text) for text in given]
        at = np.array([i for i, text in enumerate(texts) if text], np.int64)
        _count(dropped, {"broken row": broken, "empty text": len(texts) - len(at) - broken})
        kept = {key: column.take(pa.array(at)) for key, column in values.items()}
        times = self._times(kept.get("time"), len(at), dropped)
        if not len(at):
            return None
        texts = [texts[i] for i in at]
        rows = at + start
        ids, authors = self._words(kept.get("id"), "id", len(at)), self._words(kept.get("author"), "author", len(at))
        masked = pc.match_substring_regex(pa.array(authors, pa.string()), _MASK)
        _count(dropped, {MASKED: int(pc.sum(masked, min_count=0).as_py())})
        columns = {
            "id": [given or f"{self.file.label}:{row}" for given, row in zip(ids, rows.tolist(), strict=True)],
            "text": texts,
            "key": [key_hash(text) for text in texts],
            "time": times,
            "author": hash_authors(authors, self._key),
            "source": self._words(kept.get("source"), "source", len(at)),
            "file": np.full(len(at), self.index, np.int32),
            "row": rows,
        }
        return pa.record_batch(columns, COMMENT_COLUMNS)

    def skip_rows(self) -> None:
        """Rows were passed over that had been read in an earlier run: their times were checked then."""
        self._has_readable_time = True

    def _times(self, column: pa.Array | None, n: int, dropped: Counter[str]) -> pa.Array:
        """Times of n comments, null where there is none or none can be read; both are counted."""
        if column is None:
            return pa.nulls(n, UTC_TIME)
        times = utc_times(column, self._zone)
        written = [str(value).strip() for value in column.filter(pc.is_null(times)).to_pylist() if value is not None]
        unread = [value for value in written if value not in MISSING]
        _count(dropped, {"unreadable time": len(unread), "no time": times.null_count - len(unread)})
        self._has_readable_time |= n > times.null_count
        if not self._has_readable_time:
            self._unreadable += unread
            if len(self._unreadable) >= CLEARLY_WRONG:
                raise _no_times(self.file, self._unreadable[0])
        return times

    def _words(self, column: pa.Array | None, key: str, n: int) -> list[str | None]:
        """A column as text without spaces around it; null where there is no column or no value."""
        if column is None:
            return [None] * n
        texts = as_text(column, f"{self.file.where}.{key}").to_pylist()
        return [None if text is None or text.strip() in MISSING else text.strip() for text in texts]


def _count(dropped: Counter[str], found: Mapping[str, int]) -> None:
    dropped.update({reason: rows for reason, rows in found.items() if rows})


def _no_times(file: CommentFile, example: str) -> UserError:
    return UserError(
        f"{file.where}.time: no time in column {file.source.time!r} of {file.path.name} can be read: {example!r}",
        "readable are timestamps, dates, ISO 8601 text (2024-03-01T09:05:00+09:00), seconds or milliseconds since 1970",
        "name another column, or leave `time` out: the comments are then classified, and in no daily line",
    )
