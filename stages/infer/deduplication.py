"""Index of the texts that any shard of the same predictor holds. It stays on disk, so that memory does not grow.

One shard is searched at a time: a column of 8 bytes a row, then the probabilities of the rows that are asked for. The
keys of shards in work are held in memory until they are written.
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
class DeduplicationIndex:
    """Shards in the order in which they were begun. labels: the plan's."""

    labels: Sequence[str]
    # path of a shard that is written, or keys of the different texts, sorted, of one in work
    _shards: list[Path | Keys] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """A shard that was written before; one of an older version, which has no keys, is ignored."""
        if KEY in pq.read_schema(path).names:
            self._shards.append(path)

    def begin(self, keys: Keys) -> int:
        """Adds a shard in work that holds these texts. Returns its number, for `written`."""
        self._shards.append(np.sort(keys))
        return len(self._shards) - 1

    def written(self, number: int, path: Path) -> None:
        """The shard in work is written now, to this path."""
        self._shards[number] = path

    def where(self, keys: Keys) -> NDArray[np.int64]:
        """(N,) number of a shard that has each text, NOWHERE where none has. keys: (N,), sorted, each once."""
        where = np.full(len(keys), NOWHERE)
        for number, shard in enumerate(self._shards):
            missing = np.flatnonzero(where == NOWHERE)
            if not len(missing):
                break
            shard_keys = np.sort(_keys_in(shard)) if isinstance(shard, Path) else shard
            where[missing[_is_in(keys[missing], shard_keys)]] = number
        return where

    def probabilities(self, keys: Keys, where: NDArray[np.int64]) -> Floats:
        """(N, K) float32 of texts that `where` found; their shards are written by now."""
        out = np.zeros((len(keys), len(self.labels)), np.float32)
        for number in np.unique(where):
            at = np.flatnonzero(where == number)
            path = self._shards[number]
            assert isinstance(path, Path), "the shard is written before its probabilities are asked for"
            shard_keys = _keys_in(path)
            order = np.argsort(shard_keys, kind="stable")
            rows = order[np.searchsorted(shard_keys, keys[at], sorter=order)]
            names = [f"p_{label}" for label in self.labels]
            table = pq.read_table(path, columns=names, memory_map=False, pre_buffer=False)
            for k, name in enumerate(names):
                out[at, k] = table.column(name).to_numpy()[rows]
        return out


def _keys_in(path: Path) -> Keys:
    keys: Keys = pq.read_table(path, columns=[KEY], pre_buffer=False).column(KEY).to_numpy()
    return keys


def _is_in(keys: Keys, sorted_keys: Keys) -> NDArray[np.bool_]:
    """Whether each of `keys` is among `sorted_keys`."""
    if not len(sorted_keys):
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    found: NDArray[np.bool_] = sorted_keys[at] == keys
    return found
