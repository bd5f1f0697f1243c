"""The files of comments, their hashes and their problems."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.comment_files import write
from transfer.corpus.comment_files import comment_files
from transfer.corpus.comment_stream import read_comments
from transfer.errors import UserErrors
from transfer.tables.sources import CommentSource


def test_problems_of_all_files_come_before_any_comment(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", "good")
    write(tmp_path, "b1.csv", "text", "good")
    write(tmp_path, "b2.csv", "comment", "good")
    write(tmp_path, "c.csv", "text")
    sources = [CommentSource(path=path) for path in ("a.csv", "b*.csv", "c.csv")]
    with pytest.raises(UserErrors) as caught:
        read_comments(sources, tmp_path, "UTC", "s")
    assert [problem.splitlines()[0] for problem in caught.value.problems] == [
        "comments[1].text: no column 'text' in b2.csv",
        "comments[2].path: no rows in c.csv",
    ]


def test_a_files_hash_follows_its_content(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "text", "good")
    write(tmp_path, "b.csv", "text", "good")
    sources = [CommentSource(path="*.csv")]
    (_, path, first), (_, _, second) = comment_files(sources, tmp_path)
    assert (path, first) == (tmp_path / "a.csv", second)
    write(tmp_path, "a.csv", "text", "goods")
    assert [sha == first for _, _, sha in comment_files(sources, tmp_path)] == [False, True]


def test_a_hub_data_sets_hash_follows_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["good", "bad"]
    monkeypatch.setattr(
        "transfer.corpus.comment_files.read_batches", lambda *_: iter([pa.record_batch({"text": pa.array(texts)})])
    )
    source = CommentSource(hub="me/mood", split="train")
    ((_, path, first),) = comment_files([source], tmp_path)
    assert path == Path("me/mood")
    assert comment_files([source], tmp_path)[0][2] == first
    texts.append("hm")
    assert comment_files([source], tmp_path)[0][2] != first
