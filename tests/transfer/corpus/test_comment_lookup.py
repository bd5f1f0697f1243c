"""Texts found again by the ids that reading gave them, with and without a column of ids."""

from pathlib import Path

import pyarrow as pa
import pytest

from transfer.corpus.comment_lookup import texts_by_id
from transfer.corpus.comment_stream import read_comments
from transfer.tables.sources import CommentSource

ROWS = "id,text\n7,so angry!!!!!!\n,no id here\n9,\n 10 ,@someone great\n"


@pytest.mark.parametrize("identity", ["id", None])
def test_each_comment_is_found_again_under_its_id(tmp_path: Path, identity: str | None) -> None:
    (tmp_path / "a.csv").write_text(ROWS, "utf-8")
    (tmp_path / "b.csv").write_text("id,text\n11,one more\n", "utf-8")
    sources = [CommentSource(path="?.csv", id=identity)]
    read = list(read_comments(sources, tmp_path, "UTC", "salt"))
    told = {i: text for b in read for i, text in zip(b["id"].to_pylist(), b["text"].to_pylist(), strict=True)}
    found = [
        pair
        for ids, texts in texts_by_id(sources, tmp_path, pa.array(list(told)))
        for pair in zip(ids, texts, strict=True)
    ]
    assert found == list(told.items())
    last = list(told)[-1]
    assert list(texts_by_id(sources, tmp_path, pa.array([last]))) == [([last], ["one more"])]


def test_files_that_went_away_or_broke_give_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n7,fine\n", "utf-8")
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    sources = [CommentSource(path="a.csv", id="id"), CommentSource(path="b.parquet", id="id")]
    gone = CommentSource(path="moved-away-*.csv", id="id")
    assert list(texts_by_id([gone, *sources], tmp_path, pa.array(["7", "8"]))) == [(["7"], ["fine"])]
