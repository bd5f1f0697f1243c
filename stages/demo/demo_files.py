"""Writes a world's texts where the plan looks for them; of the comments' true emotions, gold's labels alone."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.demo.corpus import Comment, Corpus


def write_texts(corpus: Corpus, folder: Path) -> None:
    """original.csv, comments.parquet (times naive, in local time) and gold.csv in `folder`, which must exist."""
    _write_csv(folder / "original.csv", ["text", "label"], corpus.original)
    _write_csv(
        folder / "gold.csv",
        ["id", "text", "label"],
        ((comment.id, comment.text, label) for comment, label in corpus.gold),
    )
    pq.write_table(_table(corpus.comments), folder / "comments.parquet")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _table(comments: Sequence[Comment]) -> pa.Table:
    return pa.table(
        {
            "id": [comment.id for comment in comments],
            "text": pa.array([comment.text for comment in comments], pa.string()),
            "written_at": pa.array([comment.written_at for comment in comments], pa.timestamp("ms")),
            "author": [comment.author for comment in comments],
            "video": [comment.video for comment in comments],
        }
    )
