"""Comments by the million, a batch at a time: cleaned, dated, authors hashed before anything else sees them."""

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transfer.cleaning import MISSING, clean_cell, key_hash
from transfer.columns import as_text
from transfer.problem import Problem, Problems
from transfer.reading import BATCH_ROWS, read_batches, read_file
from transfer.sources import CommentSource, file_label, source_files
from transfer.times import UTC_TIME, utc_times

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
# So many unreadable times, and not one that can be read, are a wrong column or a foreign form, and no noise.
CLEARLY_WRONG = 20


@dataclass(frozen=True)
class _Part:
    """One file of a source, or a hub data set. where: the source's key in the plan. label: what ids begin with."""

    source: CommentSource
    path: Path
    where: str
    label: str


@dataclass(frozen=True)
class _Rules:
    """What every batch is made with. zone: of times without one. key: of author hashes. dropped: counted into."""

    zone: ZoneInfo
    key: bytes
    dropped: Counter[str]

    def count(self, reason: str, rows: int) -> None:
        if rows:
            self.dropped[reason] += rows


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
    dropped: counts, as rows are read, "empty text" (left out), "no time" and "unreadable time" (kept, time null).

    Before it returns, the first row of every file is looked at: a missing file, column or row raises Problem, several
    raise Problems. While it is read, Problem comes of a broken row, and of times of which none can be read.
    """
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    rules = _Rules(ZoneInfo(timezone), key, Counter() if dropped is None else dropped)
    parts = _parts(sources, base, where)
    _check_parts(parts, base)
    streams = (_part_comments(part, index, base, rules, rows) for index, part in enumerate(parts))
    return itertools.chain.from_iterable(streams)


def comment_files(
    sources: Sequence[CommentSource], base: Path, where: str = "comments"
) -> list[tuple[CommentSource, Path, str]]:
    """Each file with its source and the SHA-256 of its content in hex, in the order of read_comments' `file`.

    A hub data set counts as one file, with its name as the path and the hash of the columns that are read. Content is
    hashed once in a process for each path, size and time of change.
    """
    return [(part.source, part.path, _content_hash(part, base)) for part in _parts(sources, base, where)]


def _parts(sources: Sequence[CommentSource], base: Path, where: str) -> list[_Part]:
    parts, problems = list[_Part](), list[Problem]()
    for i, source in enumerate(sources):
        place = f"{where}[{i}]"
        try:
            if source.hub is not None:
                parts.append(_Part(source, Path(source.hub), place, f"{source.hub}/{source.split}"))
            for file in source_files(source, base, place):
                parts.append(_Part(source, file, place, file_label(source, file, base)))
        except Problem as problem:
            problems.append(problem)
    _raise(problems or _same_ids(parts))
    return parts


def _same_ids(parts: Sequence[_Part]) -> list[Problem]:
    first: dict[str, _Part] = {}
    twice = [
        (first[part.label], part)
        for part in parts
        if part.source.id is None and first.setdefault(part.label, part) is not part
    ]
    return [
        Problem(
            f"{part.where}.id: {part.path} and {other.path} would number their comments alike, {part.label}:0 and on",
            "name the column that holds their ids, or rename one of the files",
        )
        for other, part in twice
    ]


def _check_parts(parts: Sequence[_Part], base: Path) -> None:
    problems, filled = list[Problem](), set[str]()
    for part in parts:
        try:
            if next(_batches(part, base, 1), None) is not None:
                filled.add(part.where)
        except Problem as problem:
            problems.append(problem)
            filled.add(part.where)
    empty = {part.where: part for part in parts if part.where not in filled}
    problems += [Problem(f"{place}.path: no rows in {part.source.path}") for place, part in empty.items()]
    _raise(problems)


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(f"{len(problems)} problems of comments", problems)


def _columns(source: CommentSource) -> dict[str, str]:
    """Key of the plan -> column, for those that are given."""
    given = {key: getattr(source, key) for key in ("text", "id", "time", "author", "source")}
    return {key: column for key, column in given.items() if column is not None}


def _batches(part: _Part, base: Path, rows: int) -> Iterator[pa.RecordBatch]:
    columns = list(_columns(part.source).values())
    if part.source.hub is not None:
        return read_batches(part.source, columns, base, part.where, rows)
    return read_file(part.path, part.source, columns, base, part.where, rows)


def _part_comments(part: _Part, index: int, base: Path, rules: _Rules, rows: int) -> Iterator[pa.RecordBatch]:
    start, readable, unreadable = 0, 0, list[str]()
    for batch in _batches(part, base, rows):
        values = {key: batch.column(i) for i, key in enumerate(_columns(part.source))}
        texts = [clean_cell(text) for text in as_text(values["text"], f"{part.where}.text").to_pylist()]
        at = np.array([i for i, text in enumerate(texts) if text], np.int64)
        kept = {key: column.take(pa.array(at)) for key, column in values.items()}
        times, unread = _times(kept.get("time"), len(at), rules)
        rules.count("empty text", len(texts) - len(at))
        readable += len(at) - times.null_count
        unreadable += unread if not readable else []
        if len(unreadable) >= CLEARLY_WRONG and not readable:
            raise _no_times(part, unreadable[0])
        if len(at):
            texts = [texts[i] for i in at]
            columns = {
                "id": _ids(kept.get("id"), at + start, part),
                "text": texts,
                "key": [key_hash(text) for text in texts],
                "time": times,
                "author": _hashed(_words(kept.get("author"), part, "author", len(at)), rules.key),
                "source": _words(kept.get("source"), part, "source", len(at)),
                "file": np.full(len(at), index, np.int32),
                "row": at + start,
            }
            yield pa.record_batch(columns, COMMENT_COLUMNS)
        start += batch.num_rows


def _times(column: pa.Array | None, n: int, rules: _Rules) -> tuple[pa.Array, list[str]]:
    """Times of n comments, and the values that could not be read as one; what is not there is counted."""
    if column is None:
        return pa.nulls(n, UTC_TIME), []
    times = utc_times(column, rules.zone)
    written = [str(value).strip() for value in column.filter(pc.is_null(times)).to_pylist() if value is not None]
    unread = [value for value in written if value not in MISSING]
    rules.count("unreadable time", len(unread))
    rules.count("no time", times.null_count - len(unread))
    return times, unread


def _words(column: pa.Array | None, part: _Part, key: str, n: int) -> list[str | None]:
    """A column as text without spaces around it; null where there is no column or no value."""
    if column is None:
        return [None] * n
    texts = as_text(column, f"{part.where}.{key}").to_pylist()
    return [None if text is None or text.strip() in MISSING else text.strip() for text in texts]


def _ids(column: pa.Array | None, rows: npt.NDArray[np.int64], part: _Part) -> list[str]:
    given = _words(column, part, "id", len(rows))
    return [identity or f"{part.label}:{row}" for identity, row in zip(given, rows.tolist(), strict=True)]


def _hashed(authors: Sequence[str | None], key: bytes) -> list[str | None]:
    """Keyed BLAKE2b in hex, 8 bytes: one author is one hash, which without the key tells nothing."""
    hashes = {
        author: hashlib.blake2b(author.encode(), digest_size=8, key=key).hexdigest()
        for author in set(authors)
        if author
    }
    return [hashes.get(author) if author else None for author in authors]


def _no_times(part: _Part, example: str) -> Problem:
    return Problem(
        f"{part.where}.time: no time in column {part.source.time!r} of {part.path.name} can be read: {example!r}",
        "readable are timestamps, dates, ISO 8601 text (2024-03-01T09:05:00+09:00), seconds or milliseconds since 1970",
        "name another column, or leave `time` out: the comments are then classified, and in no daily line",
    )


def _content_hash(part: _Part, base: Path) -> str:
    if part.source.hub is None:
        facts = part.path.stat()
        return _file_hash(part.path, facts.st_size, facts.st_mtime_ns)
    digest = hashlib.sha256()
    for batch in _batches(part, base, BATCH_ROWS):
        for column in batch.columns:
            digest.update("\n".join(map(str, column.to_pylist())).encode())
    return digest.hexdigest()


@functools.cache
def _file_hash(path: Path, size: int, changed: int) -> str:
    """size and changed (nanoseconds) tell one content of the path from the next."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
