"""Which cluster a comment belongs to, as a 64-bit hash: its author, else its source, else the comment alone."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

KINDS = ("author", "source", "comment")
COLUMNS = {"author": "author", "source": "source", "comment": "id"}


def cluster_hashes(batch: pa.RecordBatch, by: str = "author") -> tuple[Hashes, dict[str, int]]:
    """The cluster of each row as a 64-bit hash, and how many rows are clustered by author, source and comment.

    batch: columns author, source and id, strings, nullable. by: "author", else the source, else the comment; "source":
    the source, else the comment, for names that are masked; "voice": the author, else the comment;
    "comment": the comment.
    Returns (N,) uint64, equal on every machine and in every run (BLAKE2b of the name), near enough uniform to serve as
    random keys.
    """
    kinds = {"author": KINDS, "source": KINDS[1:], "voice": (KINDS[0], KINDS[2]), "comment": KINDS[2:]}[by]
    columns = {kind: _text(batch.column(COLUMNS[kind])) for kind in kinds}
    named = [pc.binary_join_element_wise(kind, text, " ") for kind, text in columns.items()]
    names = pc.dictionary_encode(pc.coalesce(*named, "comment "))
    hashed = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names.dictionary.to_pylist())
    hashes = np.frombuffer(hashed, "<u8").astype(np.uint64)
    return hashes[names.indices.to_numpy()], _counted(columns, len(batch))


def _counted(columns: Mapping[str, pa.Array], rows: int) -> dict[str, int]:
    """Rows by the first kind that names them; a row that nothing names is a comment."""
    left, counts = pa.array(np.ones(rows, bool)), dict.fromkeys(KINDS, 0)
    for kind, text in columns.items():
        counts[kind] = pc.sum(pc.and_(left, pc.is_valid(text)), min_count=0).as_py()
        left = pc.and_(left, pc.is_null(text))
    counts["comment"] += pc.sum(left, min_count=0).as_py()
    return counts


def _text(column: pa.Array) -> pa.Array:
    """As plain strings; an empty name is no name."""
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)
