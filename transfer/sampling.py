"""Which comments the labeller reads: a seeded random sample, each text once."""

from collections.abc import Collection, Iterable
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any


def sample_comments(
    batches: Iterable[Any], size: int, seed: int, without: Collection[str] = ()
) -> list[tuple[str, str]]:
    """(key, text) of `size` comments, or of all where there are fewer, in one pass and bounded memory.

    batches: record batches with columns `key` and `text`. A text's place in the sample is the hash of its key and
    the seed: every distinct text has the same chance, a larger sample begins with the smaller one, and the order of
    the files does not matter; of several spellings with one key the first in the alphabet is taken.
    without: keys that are left out (gold's, the original data's).
    """
    heap: list[tuple[int, str]] = []  # the `size` smallest ranks, negated, largest first
    texts: dict[str, str] = {}  # of the keys in the heap
    for batch in batches:
        for key, text in zip(batch.column("key").to_pylist(), batch.column("text").to_pylist(), strict=True):
            if key in texts:
                texts[key] = min(texts[key], text)
            elif key not in without:
                texts[key] = text
                heappush(heap, (-_rank(key, seed), key))
                if len(heap) > size:
                    del texts[heappop(heap)[1]]
    return [(key, texts[key]) for _, key in sorted(heap, reverse=True)]


def _rank(key: str, seed: int) -> int:
    return int.from_bytes(blake2b(f"{seed}|{key}".encode(), digest_size=8).digest(), "big")
