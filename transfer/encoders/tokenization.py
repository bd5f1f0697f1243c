"""Text to tokens, once for each tokenizer; and tokens to padded batches under a token budget."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transfer.atomic_write import atomic_file

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """Token ids of N texts, ragged, special tokens included.

    flat: (total,) int32. offsets: (N + 1,) int64, text i is flat[offsets[i]:offsets[i + 1]].
    tail: how many special tokens end a text; they are kept when it is cut.
    """

    flat: NDArray[np.int32]
    offsets: NDArray[np.int64]
    tail: int
    pad_id: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Indices:
        """(N,) tokens of each text."""
        return np.diff(self.offsets)

    def __getitem__(self, i: int) -> NDArray[np.int32]:
        return self.flat[self.offsets[i] : self.offsets[i + 1]]

    def cut(self, max_length: int) -> "Tokens":
        """The same texts, each at most `max_length` tokens: the beginning and the closing special tokens stay."""
        if len(self) == 0 or int(self.lengths.max()) <= max_length:
            return self
        pieces = [_cut(self[i], max_length, self.tail) for i in range(len(self))]
        return _ragged(pieces, self.tail, self.pad_id)

    def take(self, rows: Indices) -> "Tokens":
        return _ragged([self[int(i)] for i in rows], self.tail, self.pad_id)


def _cut(ids: NDArray[np.int32], max_length: int, tail: int) -> NDArray[np.int32]:
    if len(ids) <= max_length:
        return ids
    return np.concatenate([ids[: max_length - tail], ids[len(ids) - tail :]])


def _ragged(pieces: Sequence[NDArray[np.int32]], tail: int, pad_id: int) -> Tokens:
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    flat = np.concatenate(pieces) if pieces else np.zeros(0)
    return Tokens(flat.astype(np.int32), offsets, tail, pad_id)


def join(first: Tokens, second: Tokens) -> Tokens:
    """The texts of both, the first's before the second's; both of one tokenizer."""
    return Tokens(
        np.concatenate([first.flat, second.flat]),
        np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        first.tail,
        first.pad_id,
    )


def encode(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int, cache: Path | None = None
) -> Tokens:
    """Tokens of `texts`, at most `max_length` each, special tokens included.

    With `cache`, a folder, the result is kept there as an Arrow file named by the hash of texts, tokenizer and
    length, and read from there the next time; a file that cannot be read is made again.
    """
    tail = _tail(tokenizer)  # before _content: it leaves the tokenizer without truncation, which is part of its content
    pad_id = int(tokenizer.pad_token_id or 0)
    path = cache / f"{_content(texts, tokenizer, max_length)}.arrow" if cache else None
    kept = _read(path, tail, pad_id) if path else None
    if kept is not None:
        return kept
    pieces: list[NDArray[np.int32]] = []
    for start in range(0, len(texts), 1000):
        batch = tokenizer(list(texts[start : start + 1000]), truncation=True, max_length=max_length)
        pieces += [np.asarray(ids, dtype=np.int32) for ids in batch["input_ids"]]
    tokens = _ragged(pieces, tail, pad_id)
    if path:
        _write(path, tokens)
    return tokens


def tokens_identity(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int) -> str:
    """A hash of all that `encode` makes tokens from."""
    _tail(tokenizer)  # first, as in encode
    return _content(texts, tokenizer, max_length)


def batches(lengths: Indices, token_budget: int) -> Iterator[Indices]:
    """Row numbers in batches, the longest texts first, each batch padded within `token_budget` tokens.

    lengths: (N,). Every row comes in exactly one batch; a text longer than the budget is a batch alone.
    Longest first: if the device's memory does not do, that shows at once.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = max(int(lengths[order[start]]), 1)
        size = max(token_budget // width, 1)
        yield order[start : start + size]
        start += size


def pad(tokens: Tokens, rows: Indices) -> "tuple[torch.Tensor, torch.Tensor]":
    """Input ids and attention mask of `rows`, padded to the longest of them: (B, T) int64 both."""
    import torch

    ids, mask = padded(tokens, rows)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def padded(tokens: Tokens, rows: Indices) -> tuple[Indices, Indices]:
    """The same as arrays."""
    pieces = [tokens[int(i)] for i in rows]
    width = max(len(piece) for piece in pieces)
    ids = np.full((len(pieces), width), tokens.pad_id, dtype=np.int64)  # (B, T)
    mask = np.zeros((len(pieces), width), dtype=np.int64)
    for row, piece in enumerate(pieces):
        ids[row, : len(piece)] = piece
        mask[row, : len(piece)] = 1
    return ids, mask


def same_tokens(first: "PreTrainedTokenizerBase", second: "PreTrainedTokenizerBase") -> bool:
    """Whether two tokenizers give the same tokens for any text, whatever length each last cut at."""
    return _uncut(first) == _uncut(second)


def _tail(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Special tokens that end a text, found by looking at one."""
    ids = tokenizer("a")["input_ids"]
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return next((i for i, token in enumerate(reversed(ids)) if token not in special), 0)


def _content(texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int) -> str:
    digest = hashlib.sha256(f"1|{max_length}|{type(tokenizer).__name__}|".encode())
    digest.update(_identity(tokenizer).encode())
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:32]


def _identity(tokenizer: "PreTrainedTokenizerBase") -> str:
    """All that its tokens depend on, and the length that it last cut at."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return str(backend.to_str()) if backend else repr(sorted(tokenizer.get_vocab()))


def _uncut(tokenizer: "PreTrainedTokenizerBase") -> object:
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        return type(tokenizer), sorted(tokenizer.get_vocab().items())
    settings = json.loads(_identity(tokenizer))
    return {key: value for key, value in settings.items() if key not in {"truncation", "padding"}}


def _read(path: Path, tail: int, pad_id: int) -> Tokens | None:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            column = pa.ipc.open_file(source).read_all().column("ids").combine_chunks()
        return Tokens(column.values.to_numpy(), column.offsets.to_numpy().astype(np.int64), tail, pad_id)
    except (OSError, KeyError, pa.ArrowException):
        return None


def _write(path: Path, tokens: Tokens) -> None:
    import pyarrow as pa

    path.parent.mkdir(parents=True, exist_ok=True)
    column = pa.LargeListArray.from_arrays(pa.array(tokens.offsets), pa.array(tokens.flat))
    table = pa.table({"ids": column})
    with atomic_file(path) as part, pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
