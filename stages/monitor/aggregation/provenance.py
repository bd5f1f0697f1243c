"""Provenance of a period: the shards with its comments, and the files these were read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.monitor.aggregation.shard_reader import batches, dated
from stages.monitor.schema.calendar import Days, local_days, period_starts
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, periods_of

Stretch = tuple[int, int]  # numbers of the first and the last of some shards in a row


@dataclass(frozen=True)
class Shard:
    """name: in the workspace's files. file: SHA-256 of the comment file's content, in hex. first_row: in that file.
    rows: classified comments. model: the predictor's fingerprint."""

    name: str
    file: str
    first_row: int
    rows: int
    model: str


@dataclass(frozen=True)
class Origins:
    """shards: in the comments' order. periods: for each length, each period's shards as runs of their numbers, in the
    order of periods_of; what caps and floods leave out is included."""

    shards: tuple[Shard, ...]
    periods: Mapping[Every, tuple[tuple[Stretch, ...], ...]]


def origins_of(line: Line, shards: Sequence[Shard], paths: Sequence[Path]) -> Origins:
    """paths: of the same shards. Reads their times alone."""
    days = [_days(path, line.settings.timezone) for path in paths]
    return Origins(tuple(shards), {every: _of_length(line, every, days) for every in line.settings.every})


def _days(path: Path, timezone: str) -> Days:
    """The days with a comment in a shard, sorted."""
    found = [np.unique(local_days(dated(batch)[1], timezone)) for batch in batches([path], ["time"])]
    return np.unique(np.concatenate([np.array([], "datetime64[D]"), *found]))


def _of_length(line: Line, every: Every, days: Sequence[Days]) -> tuple[tuple[Stretch, ...], ...]:
    starts = np.array([period.start for period in periods_of(line, every)], "datetime64[D]")
    within = np.array([np.isin(starts, period_starts(some, every)) for some in days])  # (shards, periods)
    return tuple(_runs(np.flatnonzero(column)) for column in within.T)


def _runs(numbers: NDArray[np.int64]) -> tuple[Stretch, ...]:
    """Numbers in order, as runs of neighbours."""
    if not len(numbers):
        return ()
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return tuple((int(part[0]), int(part[-1])) for part in parts)
