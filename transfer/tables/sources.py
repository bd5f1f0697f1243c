"""Where rows come from, as the plan writes it: files, globs of files, or a data set on the Hugging Face hub.

Light on purpose: the plan imports it. transfer.tables.readers opens what stands here.
"""

import codecs
import difflib
import glob
import itertools
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from transfer.errors import UserError

FORMATS = (".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".parquet")


class Source(BaseModel):
    """Rows of one table: either `path` or `hub` with a `split`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = Field(
        None,
        description="csv, tsv, xlsx, json, jsonl or parquet file, or a glob of them; relative to the plan's folder; "
        "$NAME and ~ are expanded",
    )
    hub: str | None = Field(None, description="data set on the Hugging Face hub, OWNER/NAME; needs `split`")
    subset: str | None = Field(None, description="configuration of the hub data set, where it has several")
    split: str | None = Field(None, description="split of the hub data set: train, or a slice such as train[:1000]")
    revision: str | None = Field(None, description="branch, tag or commit of the hub data set; default its main branch")
    encoding: str | None = Field(
        None, description="encoding of a csv, tsv, json or jsonl file: cp949, utf-16, ...; default utf-8"
    )
    sheet: str | None = Field(None, description="sheet of an xlsx file; default its first")

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError:
                raise ValueError(f"no encoding {value!r}; common ones: utf-8, cp949, utf-16, cp1252") from None
        return value

    @field_validator("hub")
    @classmethod
    def _hub_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", value, re.ASCII):
            raise ValueError(f"{value!r} is no name of a hub data set; write OWNER/NAME, or `path` for a file")
        return value

    @model_validator(mode="after")
    def _is_one_table(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give either `path` (a file or a glob) or `hub` (a data set) with a `split`")
        if self.hub is not None and self.split is None:
            raise ValueError(f"`hub: {self.hub}` needs a `split`, such as train")
        foreign = ("encoding", "sheet") if self.hub is not None else ("subset", "split", "revision")
        if given := [name for name in foreign if getattr(self, name) is not None]:
            kind = "hub" if self.hub is not None else "path"
            raise ValueError(f"`{'`, `'.join(given)}` mean nothing beside `{kind}`; leave out")
        return self


class LabelledSource(Source):
    """Rows with a text and a label."""

    text: str = Field("text", description="column of the text")
    label: str = Field("label", description="column of the label")
    map: dict[str, str] | None = Field(
        None, description="value in the file: label of the plan; values that are labels of the plan need no entry"
    )
    unmapped: Literal["refuse", "drop"] = Field(
        "refuse",
        description="rows whose label is neither in the plan nor in `map`: refuse the file, or drop them, counted; "
        "where `map` is given, drop leaves out every value that it does not name",
    )

    @field_validator("map", mode="before")
    @classmethod
    def _keys_are_text(cls, value: object) -> object:
        """YAML reads `0: anger` as a number; a file's 0, 0.0 and '0' all mean it."""
        if not isinstance(value, dict):
            return value
        return {label_text(str(k)): str(v) if isinstance(v, int) else v for k, v in value.items()}


class GoldSource(LabelledSource):
    """A small sample of the comments, labelled by people."""

    id: str | None = Field(None, description="column of the comment's id")
    weight: str | None = Field(None, description="column of the row's weight, 1 / inclusion probability")
    random_sample: bool = Field(
        False, description="whether gold without weights is a simple random sample of the comments"
    )


class CommentSource(Source):
    """Unlabelled comments, dated where `time` is given."""

    id: str | None = Field(None, description="column of the id; default FILE:ROW")
    text: str = Field("text", description="column of the text")
    time: str | None = Field(
        None,
        description="column of the time: a timestamp, a date, ISO 8601 text, or seconds or milliseconds since 1970; "
        "one without a zone is in the index's time zone",
    )
    author: str | None = Field(None, description="column of the author, who is hashed on reading and stored nowhere")
    source: str | None = Field(None, description="column of what was commented on: video, film, thread")


def label_text(value: str) -> str:
    """A label as it is compared: NFC, no space around it, '3' for '3.0', as spreadsheets write whole numbers."""
    text = unicodedata.normalize("NFC", value).strip()
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", text)


def source_files(source: Source, base: Path, where: str = "path") -> list[Path]:
    """The files that a source's path names, sorted; [] for a hub source.

    base: folder that relative paths start from, the plan's. Raises UserError where there is no file, a variable in the
    path is not set, the path is a folder, or a file's format is not one of FORMATS.
    """
    if source.path is None:
        return []
    pattern = _expanded(source.path)
    if unset := re.search(r"\$\{?\w+\}?", pattern):
        raise UserError(f"{where}.path: {unset[0]} of {source.path!r} is not set in the environment")
    there = base / pattern
    names = [pattern] if there.exists() else sorted(glob.glob(pattern, root_dir=base, recursive=True))
    # "~$": what a spreadsheet program leaves beside a workbook that is open
    files = [base / name for name in names if (base / name).is_file() and not Path(name).name.startswith("~$")]
    if not files:
        raise _no_files(source.path, there, where)
    _check_formats(files, base, where)
    return files


def file_label(source: Source, file: Path, base: Path) -> str:
    """Which of a source's files it is, for ids: '2024/03' of youtube/*/*.csv, and 'a' of x/a.csv."""
    pattern = Path(_expanded(source.path or ""))
    fixed = itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts)
    folder = file.parent if base / pattern == file else base.joinpath(*fixed)
    return file.relative_to(folder).with_suffix("").as_posix()


def _expanded(path: str) -> str:
    return os.path.expanduser(os.path.expandvars(path))


def display_path(path: Path, base: Path) -> str:
    """A file's name as messages show it: relative to the plan's folder where it lies below it."""
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def did_you_mean(name: str, names: Sequence[str]) -> list[str]:
    """A line that names the likeliest misspelt one, or nothing: details of a UserError."""
    folded = {other.casefold().strip(): other for other in names}
    close = difflib.get_close_matches(name.casefold().strip(), list(folded), n=1, cutoff=0.6)
    return [f"did you mean {folded[close[0]]!r}?"] if close else []


def _no_files(path: str, pattern: Path, where: str) -> UserError:
    if pattern.is_dir():
        return UserError(f"{where}.path: {path!r} is a folder", f"name its files, as in {path.rstrip('/')}/*.csv")
    if glob.has_magic(str(pattern)):
        return UserError(f"{where}.path: no file matches {path!r}", f"looked for {pattern}")
    folder = pattern.parent
    if not folder.is_dir():
        return UserError(f"{where}.path: no file {path!r}", f"there is no folder {folder}")
    names = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in FORMATS)
    there = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return UserError(
        f"{where}.path: no file {path!r}", f"tables in {folder}: {there or 'none'}", *did_you_mean(pattern.name, names)
    )


def _check_formats(files: Sequence[Path], base: Path, where: str) -> None:
    for file in files:
        if file.suffix.lower() not in FORMATS:
            raise UserError(
                f"{where}.path: {display_path(file, base)} is no table: its name ends in {file.suffix or 'nothing'!r}",
                f"known formats: {', '.join(FORMATS)}",
                *(["save the sheet as .xlsx"] if file.suffix.lower() == ".xls" else []),
            )
