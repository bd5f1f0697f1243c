"""The files that hold the comments: their order, what their ids begin with, their content hash, unreadable ones."""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from transfer.errors import UserError, raise_all
from transfer.tables.bad_rows import BadRows
from transfer.tables.readers import BATCH_ROWS, read_batches, read_file
from transfer.tables.sources import CommentSource, file_label, source_files


@dataclass(frozen=True)
class CommentFile:
    """One file of a source, or a hub data set. where: the source's key in the plan. label: what ids begin with."""

    source: CommentSource
    path: Path
    where: str
    label: str

    @property
    def columns(self) -> dict[str, str]:
        """Key of the plan -> column, for those that are given; the text's first, which is where bad rows are marked."""
        given = {key: getattr(self.source, key) for key in ("text", "id", "time", "author", "source")}
        return {key: column for key, column in given.items() if column is not None}

    def batches(
        self, base: Path, rows: int, bad_rows: BadRows | None, columns: Sequence[str] = ()
    ) -> Iterator[pa.RecordBatch]:
        """Its rows in batches of 1 to `rows`, with these columns, by default all; see readers.read_file."""
        columns = columns or list(self.columns.values())
        if self.source.hub is not None:
            return read_batches(self.source, columns, base, self.where, rows)
        return read_file(self.path, self.source, columns, base, self.where, rows, bad_rows)

    def content_hash(self, base: Path) -> str:
        """SHA-256 in hex of its content; of a hub data set, of the columns that are read."""
        if self.source.hub is None:
            try:
                status = self.path.stat()
                return _file_hash(self.path, status.st_size, status.st_mtime_ns)
            except OSError as error:  # reading it reports that; it has no rows until it can be read
                return hashlib.sha256(f"{self.path}: {error.errno}".encode()).hexdigest()
        digest = hashlib.sha256()
        for batch in self.batches(base, BATCH_ROWS, None):
            for column in batch.columns:
                digest.update("\n".join(map(str, column.to_pylist())).encode())
        return digest.hexdigest()


def comment_files(
    sources: Sequence[CommentSource], base: Path, where: str = "comments"
) -> list[tuple[CommentSource, Path, str]]:
    """Each file with its source and the SHA-256 of its content in hex, in the order of read_comments' `file`.

    A hub data set counts as one file, with its name as the path and the hash of the columns that are read. Content is
    hashed once in a process for each path, size and time of change.
    """
    return [(file.source, file.path, file.content_hash(base)) for file in find_files(sources, base, where)]


def find_files(sources: Sequence[CommentSource], base: Path, where: str) -> list[CommentFile]:
    """All files of the sources, in order. Raises UserError, or UserErrors, where there are none or two share ids."""
    files, problems = list[CommentFile](), list[UserError]()
    for i, source in enumerate(sources):
        place = f"{where}[{i}]"
        try:
            if source.hub is not None:
                files.append(CommentFile(source, Path(source.hub), place, f"{source.hub}/{source.split}"))
            for path in source_files(source, base, place):
                files.append(CommentFile(source, path, place, file_label(source, path, base)))
        except UserError as problem:
            problems.append(problem)
    problems = problems or _same_ids(files)
    raise_all(f"{len(problems)} problems of comments", problems)
    return files


def check_first_rows(files: Sequence[CommentFile], base: Path, bad_rows: BadRows | None) -> set[int]:
    """Reads each file's first row. Files that cannot be read, by index, go to `bad_rows` where another file of their
    source can be read; else UserError, or UserErrors, is raised. Returns the indices of those passed over."""
    filled, broken = set[str](), dict[int, UserError]()
    for i, file in enumerate(files):
        try:
            if next(file.batches(base, 1, None if bad_rows is None else BadRows()), None) is not None:
                filled.add(file.where)
        except UserError as problem:
            broken[i] = problem
    passed = {i for i in broken if bad_rows is not None and files[i].where in filled}
    problems = [problem for i, problem in broken.items() if i not in passed]
    known = filled | {files[i].where for i in broken}
    empty = {file.where: file for file in files if file.where not in known}
    problems += [UserError(f"{place}.path: no rows in {file.source.path}") for place, file in empty.items()]
    raise_all(f"{len(problems)} problems of comments", problems)
    for i in passed:
        assert bad_rows is not None
        bad_rows.file(files[i].label, str(broken[i]).splitlines()[0])
    return passed


def _same_ids(files: Sequence[CommentFile]) -> list[UserError]:
    first: dict[str, CommentFile] = {}
    twice = [
        (first[file.label], file)
        for file in files
        if file.source.id is None and first.setdefault(file.label, file) is not file
    ]
    return [
        UserError(
            f"{file.where}.id: {file.path} and {other.path} would number their comments alike, {file.label}:0 and on",
            "name the column that holds their ids, or rename one of the files",
        )
        for other, file in twice
    ]


@functools.cache
def _file_hash(path: Path, size: int, changed: int) -> str:
    """size and changed (nanoseconds) distinguish one content of the path from the next."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
