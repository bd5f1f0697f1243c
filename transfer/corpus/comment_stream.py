"""Comments by the million, a batch at a time: cleaned, dated, authors hashed before anything else sees them."""

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transfer.errors import UserError, UserErrors
from transfer.tables.bad_rows import BROKEN, Faults
from transfer.tables.columns import as_text
from transfer.tables.readers import BATCH_ROWS, read_batches, read_file
from transfer.tables.sources import CommentSource, file_label, source_files
from transfer.tables.timestamps import UTC_TIME, utc_times
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
# So many unreadable times, and not one that can be read, are a wrong column or a foreign form, and no noise.
CLEARLY_WRONG = 20
MASKED = "masked author"  # how such comments are counted
_MASK = r"[*●○]{2,}"


@dataclass(frozen=True)
class _Part:
    """One file of a source, or a hub data set. where: the source's key in the plan. label: what ids begin with."""

    source: CommentSource
    path: Path
    where: str
    label: str


@dataclass(frozen=True)
class _Rules:
    """What every batch is made with. zone: of times without one. key: of author hashes. dropped: counted into.

    faults: where what cannot be read goes; None where it raises.
    """

    zone: ZoneInfo
    key: bytes
    dropped: Counter[str]
    faults: Faults | None = None


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
    rules = _rules(timezone, salt, dropped, None)
    parts = _parts(sources, base, where)
    _check_parts(parts, base, None)
    streams = (_part_comments(part, index, base, rules, rows) for index, part in enumerate(parts))
    return itertools.chain.from_iterable(streams)


@dataclass(frozen=True)
class Window:
    """The comments of one file's rows [first, first + size). file: index in comment_files.

    rows: those that can be used, of COMMENT_COLUMNS; None where they were not asked for.
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
    faults: Faults,
    files: Sequence[tuple[CommentSource, Path]] | None = None,
    where: str = "comments",
) -> Iterator[Window]:
    """All comments in windows of `size` rows of a file, in the order of sources, files and rows; see read_comments.

    files: those to be read, as `comment_files` gave them, with the sources of `sources` themselves; None for all. What
    came since is left for the next time, and a window's `file` is a place among these.
    wanted: whether the window of a file (its index) that begins at a row is asked for; others cost no cleaning.
    faults: rows and files that cannot be read go there and are passed over. Raises UserError, or UserErrors, where no
    file of a source can be read, before it returns; and while it is read, for times of which none can be read.
    """
    rules = _rules(timezone, salt, None, faults)
    parts = _parts(sources, base, where)
    if files is not None:
        parts = _those(parts, files, where)
    broken = _check_parts(parts, base, faults)
    return itertools.chain.from_iterable(
        _windows(part, index, base, rules, size, wanted) for index, part in enumerate(parts) if index not in broken
    )


def _rules(timezone: str, salt: str, dropped: Counter[str] | None, faults: Faults | None) -> _Rules:
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return _Rules(ZoneInfo(timezone), key, Counter() if dropped is None else dropped, faults)


def comment_files(
    sources: Sequence[CommentSource], base: Path, where: str = "comments"
) -> list[tuple[CommentSource, Path, str]]:
    """Each file with its source and the SHA-256 of its content in hex, in the order of read_comments' `file`.

    A hub data set counts as one file, with its name as the path and the hash of the columns that are read. Content is
    hashed once in a process for each path, size and time of change.
    """
    return [(part.source, part.path, _content_hash(part, base)) for part in _parts(sources, base, where)]


def _parts(sources: Sequence[CommentSource], base: Path, where: str) -> list[_Part]:
    parts, problems = list[_Part](), list[UserError]()
    for i, source in enumerate(sources):
        place = f"{where}[{i}]"
        try:
            if source.hub is not None:
                parts.append(_Part(source, Path(source.hub), place, f"{source.hub}/{source.split}"))
            for file in source_files(source, base, place):
                parts.append(_Part(source, file, place, file_label(source, file, base)))
        except UserError as problem:
            problems.append(problem)
    _raise(problems or _same_ids(parts))
    return parts


def _those(parts: Sequence[_Part], files: Sequence[tuple[CommentSource, Path]], where: str) -> list[_Part]:
    """The parts of these files, in their order."""
    there = {(id(part.source), part.path): part for part in parts}
    gone = [path for source, path in files if (id(source), path) not in there]
    if gone:
        raise UserError(f"{where}: {gone[0]} went away while comments were read", "run again")
    return [there[id(source), path] for source, path in files]


def _same_ids(parts: Sequence[_Part]) -> list[UserError]:
    first: dict[str, _Part] = {}
    twice = [
        (first[part.label], part)
        for part in parts
        if part.source.id is None and first.setdefault(part.label, part) is not part
    ]
    return [
        UserError(
            f"{part.where}.id: {part.path} and {other.path} would number their comments alike, {part.label}:0 and on",
            "name the column that holds their ids, or rename one of the files",
        )
        for other, part in twice
    ]


def _check_parts(parts: Sequence[_Part], base: Path, faults: Faults | None) -> set[int]:
    """Looks at each file's first row. Files that cannot be read, by index, go to `faults` where others of their source
    can; else they raise."""
    filled, broken = set[str](), dict[int, UserError]()
    for i, part in enumerate(parts):
        try:
            if next(_batches(part, base, 1, None if faults is None else Faults()), None) is not None:
                filled.add(part.where)
        except UserError as problem:
            broken[i] = problem
    passed = {i for i in broken if faults is not None and parts[i].where in filled}
    problems = [problem for i, problem in broken.items() if i not in passed]
    known = filled | {parts[i].where for i in broken}
    empty = {part.where: part for part in parts if part.where not in known}
    problems += [UserError(f"{place}.path: no rows in {part.source.path}") for place, part in empty.items()]
    _raise(problems)
    for i in passed:
        assert faults is not None
        faults.file(parts[i].label, str(broken[i]).splitlines()[0])
    return passed


def _raise(problems: Sequence[UserError]) -> None:
    if problems:
        raise problems[0] if len(problems) == 1 else UserErrors(f"{len(problems)} problems of comments", problems)


def _columns(source: CommentSource) -> dict[str, str]:
    """Key of the plan -> column, for those that are given."""
    given = {key: getattr(source, key) for key in ("text", "id", "time", "author", "source")}
    return {key: column for key, column in given.items() if column is not None}


def _batches(part: _Part, base: Path, rows: int, faults: Faults | None) -> Iterator[pa.RecordBatch]:
    columns = list(_columns(part.source).values())  # the text's first, which is where BROKEN stands
    if part.source.hub is not None:
        return read_batches(part.source, columns, base, part.where, rows)
    return read_file(part.path, part.source, columns, base, part.where, rows, faults)


def _part_comments(part: _Part, index: int, base: Path, rules: _Rules, rows: int) -> Iterator[pa.RecordBatch]:
    start, times = 0, _Times(part, rules.zone)
    for batch in _batches(part, base, rows, None):
        comments = _comments(batch, start, part, index, rules, times, rules.dropped)
        if comments is not None:
            yield comments
        start += batch.num_rows


def _windows(
    part: _Part, index: int, base: Path, rules: _Rules, size: int, wanted: Callable[[int, int], bool]
) -> Iterator[Window]:
    times = _Times(part, rules.zone)
    for first, slices in itertools.groupby(_slices(part, base, size, rules.faults), lambda found: found[0] // size):
        if not wanted(index, first * size):
            for _ in slices:
                pass
            times.readable += 1  # it was judged when its shard was made
            yield Window(index, first * size, None, Counter())
            continue
        dropped = Counter[str]()
        made = [_comments(rows, start, part, index, rules, times, dropped) for start, rows in slices]
        there = [rows for rows in made if rows is not None]
        yield Window(index, first * size, pa.Table.from_batches(there, COMMENT_COLUMNS), dropped)


def _slices(part: _Part, base: Path, size: int, faults: Faults | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(number of the first row, rows), none across a multiple of `size`; a file that breaks off ends there."""
    start = 0
    try:
        for batch in _batches(part, base, min(size, BATCH_ROWS), faults):
            at = 0
            while at < batch.num_rows:
                rows = batch.slice(at, size - (start + at) % size)
                yield start + at, rows
                at += rows.num_rows
            start += batch.num_rows
    except UserError as problem:
        if faults is None:
            raise
        faults.file(part.label, f"from row {start} on: {str(problem).splitlines()[0]}")


def _comments(
    batch: pa.RecordBatch,
    start: int,
    part: _Part,
    index: int,
    rules: _Rules,
    times: "_Times",
    dropped: Counter[str],
) -> pa.RecordBatch | None:
    """The usable ones of a file's rows from `start` on, of COMMENT_COLUMNS; None where there is none."""
    values = {key: batch.column(i) for i, key in enumerate(_columns(part.source))}
    given = as_text(values["text"], f"{part.where}.text").to_pylist()
    broken = given.count(BROKEN)
    texts = ["" if text == BROKEN else clean_cell(text) for text in given]
    at = np.array([i for i, text in enumerate(texts) if text], np.int64)
    _count(dropped, {"broken row": broken, "empty text": len(texts) - len(at) - broken})
    kept = {key: column.take(pa.array(at)) for key, column in values.items()}
    when = times.read(kept.get("time"), len(at), dropped)
    if not len(at):
        return None
    texts = [texts[i] for i in at]
    authors = _words(kept.get("author"), part, "author", len(at))
    _count(dropped, {MASKED: _masked(authors)})
    columns = {
        "id": _ids(kept.get("id"), at + start, part),
        "text": texts,
        "key": [key_hash(text) for text in texts],
        "time": when,
        "author": _hashed(authors, rules.key),
        "source": _words(kept.get("source"), part, "source", len(at)),
        "file": np.full(len(at), index, np.int32),
        "row": at + start,
    }
    return pa.record_batch(columns, COMMENT_COLUMNS)


def _count(dropped: Counter[str], found: Mapping[str, int]) -> None:
    dropped.update({reason: rows for reason, rows in found.items() if rows})


class _Times:
    """Reads a file's times, and sees whether any of them can be read."""

    def __init__(self, part: _Part, zone: ZoneInfo) -> None:
        self.part, self.zone = part, zone
        self.readable, self.unreadable = 0, list[str]()

    def read(self, column: pa.Array | None, n: int, dropped: Counter[str]) -> pa.Array:
        """Times of n comments, null where there is none or none can be read; both are counted.

        Raises UserError where many were there by now and none could be read.
        """
        if column is None:
            return pa.nulls(n, UTC_TIME)
        times = utc_times(column, self.zone)
        written = [str(value).strip() for value in column.filter(pc.is_null(times)).to_pylist() if value is not None]
        unread = [value for value in written if value not in MISSING]
        _count(dropped, {"unreadable time": len(unread), "no time": times.null_count - len(unread)})
        self.readable += n - times.null_count
        self.unreadable += unread if not self.readable else []
        if len(self.unreadable) >= CLEARLY_WRONG and not self.readable:
            raise _no_times(self.part, self.unreadable[0])
        return times


def _words(column: pa.Array | None, part: _Part, key: str, n: int) -> list[str | None]:
    """A column as text without spaces around it; null where there is no column or no value."""
    if column is None:
        return [None] * n
    texts = as_text(column, f"{part.where}.{key}").to_pylist()
    return [None if text is None or text.strip() in MISSING else text.strip() for text in texts]


def _masked(names: Sequence[str | None]) -> int:
    return int(pc.sum(pc.match_substring_regex(pa.array(names, pa.string()), _MASK), min_count=0).as_py())


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


def _no_times(part: _Part, example: str) -> UserError:
    return UserError(
        f"{part.where}.time: no time in column {part.source.time!r} of {part.path.name} can be read: {example!r}",
        "readable are timestamps, dates, ISO 8601 text (2024-03-01T09:05:00+09:00), seconds or milliseconds since 1970",
        "name another column, or leave `time` out: the comments are then classified, and in no daily line",
    )


def _content_hash(part: _Part, base: Path) -> str:
    if part.source.hub is None:
        try:
            facts = part.path.stat()
            return _file_hash(part.path, facts.st_size, facts.st_mtime_ns)
        except OSError as error:  # whoever reads it says so; it has no rows until it can be
            return hashlib.sha256(f"{part.path}: {error.errno}".encode()).hexdigest()
    digest = hashlib.sha256()
    for batch in _batches(part, base, BATCH_ROWS, None):
        for column in batch.columns:
            digest.update("\n".join(map(str, column.to_pylist())).encode())
    return digest.hexdigest()


@functools.cache
def _file_hash(path: Path, size: int, changed: int) -> str:
    """size and changed (nanoseconds) tell one content of the path from the next."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
