"""Texts that were classified before, in any shard of the same predictor: found on disk, so that memory does not grow.

Shards are looked through one at a time: a column of 8 bytes a row, then the probabilities of the rows that are asked
for. What the shards in work hold is remembered until they are written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.infer.shard_schema import KEY, Floats, Keys

NOWHERE = -1


@dataclass
class _Shard:
    """A shard that is written (path), or in work (keys: of its different texts, sorted)."""

    path: Path | None
    keys: Keys | None = None


@dataclass
class DeduplicationIndex:
    """Shards in the order in which they were begun. labels: the plan's."""

    labels: Sequence[str]
    _shards: list[_Shard] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """A shard that was written before; one of an older version, without keys, is no help."""
        if KEY in pq.read_schema(path).names:
            self._shards.append(_Shard(path))

    def begin(self, keys: Keys) -> int:
        """A shard with these texts is in work from now on; returns its number, by which it is written later."""
        self._shards.append(_Shard(None, np.sort(keys)))
        return len(self._shards) - 1

    def written(self, number: int, path: Path) -> None:
        """The shard in work lies there now."""
        self._shards[number] = _Shard(path)

    def where(self, keys: Keys) -> NDArray[np.int64]:
        """(N,) number of a shard that has each text, NOWHERE where none has. keys: (N,), sorted, each once."""
        found = np.full(len(keys), NOWHERE)
        for number, shard in enumerate(self._shards):
            open_ = np.flatnonzero(found == NOWHERE)
            if not len(open_):
                break
            there = shard.keys if shard.keys is not None else np.sort(_column(shard.path))
            found[open_[_is_in(keys[open_], there)]] = number
        return found

    def probabilities(self, keys: Keys, where: NDArray[np.int64]) -> Floats:
        """(N, K) float32 of texts that `where` found; their shards are written by now."""
        out = np.zeros((len(keys), len(self.labels)), np.float32)
        for number in np.unique(where):
            at = np.flatnonzero(where == number)
            path = self._shards[number].path
            there = _column(path)
            order = np.argsort(there, kind="stable")
            rows = order[np.searchsorted(there, keys[at], sorter=order)]
            names = [f"p_{label}" for label in self.labels]
            table = pq.read_table(path, columns=names, memory_map=False, pre_buffer=False)
            for k, name in enumerate(names):
                out[at, k] = table.column(name).to_numpy()[rows]
        return out


def _column(path: Path | None) -> Keys:
    assert path is not None, "a shard in work is asked for its probabilities"
    keys: Keys = pq.read_table(path, columns=[KEY], pre_buffer=False).column(KEY).to_numpy()
    return keys


def _is_in(keys: Keys, there: Keys) -> NDArray[np.bool_]:
    """Whether each of `keys` is among `there`, sorted."""
    if not len(there):
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(there, keys), len(there) - 1)
    found: NDArray[np.bool_] = there[at] == keys
    return found
