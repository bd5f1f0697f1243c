"""What one pass over the comments keeps: counts by confidence bin, their resamples and clusters, for each day, each
source, and each period of a source.

Memory is bounded by a batch and by groups × bins × resamples (four years of days, 10 sources by month, 4 labels, 200
resamples: 50 MB), never by the number of comments.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.distinct_count_sketch import DistinctCountSketch
from stages.monitor.aggregation.shard_reader import dated, probability_columns
from stages.monitor.quantification.confidence_bins import ConfidenceBins
from stages.monitor.quantification.correction_bootstrap import PosteriorSample
from stages.monitor.quantification.poisson_bootstrap import resampling_weights
from stages.monitor.schema.calendar import Days, all_starts, local_days, period_starts
from stages.monitor.schema.index_settings import IndexSettings
from transfer.errors import UserError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 2.0**24  # probabilities are summed as whole numbers of these steps: exact, so in any order the same
MOST_SOURCE_PERIODS = 2_000  # of sources × periods: 50 MB; with more of them fewer sources are followed over time


class GroupedCounts:
    """Groups of comments: the days in their order, then the sources in theirs, then the periods of each of the first
    `followed` sources, of the longest length that is asked for. A comment may be in one of each.

    counts: (G, M) int64 by bin. probabilities: (G, K), sums. resampled: (G, M, B) int32. clustered: comments by what
    they are clustered by.
    """

    def __init__(
        self, days: Days, sources: Sequence[str], labels: tuple[str, ...], settings: IndexSettings, seed: int
    ) -> None:
        self.days, self.sources, self.labels, self.settings, self.seed = days, sources, labels, settings, seed
        self.bins = ConfidenceBins(len(labels))
        self.starts = all_starts(days[0], days[-1], settings.every[-1])
        self.followed = min(len(sources), MOST_SOURCE_PERIODS // len(self.starts))
        groups, bins = len(days) + len(sources) + self.followed * len(self.starts), len(self.bins)
        self.counts = np.zeros((groups, bins), np.int64)
        self.resampled = np.zeros((groups, bins, settings.bootstrap), np.int32)
        self.clustered: Counter[str] = Counter()
        self.clusters, self.authors = DistinctCountSketch(), DistinctCountSketch()
        self.sample = PosteriorSample(len(labels))
        self._steps = np.zeros((groups, len(labels)))
        self._bin_steps = np.zeros((bins, len(labels)))
        self._names = pa.array(sources, pa.string())

    @property
    def probabilities(self) -> Floats:
        return self._steps / STEPS

    @property
    def bin_means(self) -> Floats:
        """(M, K): the mean probabilities of the comments in each bin; 0 where there are none."""
        in_bin = self.counts[: len(self.days)].sum(axis=0)[:, None]
        return np.asarray(self._bin_steps / STEPS / np.maximum(in_bin, 1))

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds the dated rows of a batch."""
        rows, times = dated(batch)
        if len(rows) == 0:
            return
        day = np.searchsorted(self.days, local_days(times, self.settings.timezone))
        columns = [rows.column(name).to_numpy(zero_copy_only=False) for name in probability_columns(self.labels)]
        probabilities = np.stack(columns, axis=1).astype(np.float64)
        number = self.bins.of(self.label_numbers(rows), probabilities)
        clusters, kinds = cluster_hashes(rows, self.settings.cluster)
        voices = clusters if kinds["author"] == len(rows) else cluster_hashes(rows, "voice")[0]
        self.clustered.update(kinds)
        self.sample.add(clusters, times, number, probabilities)
        weights = resampling_weights(clusters, self.seed, self.settings.bootstrap)  # (N, B)
        steps = np.rint(probabilities * STEPS)
        for k in range(len(self.labels)):
            self._bin_steps[:, k] += np.bincount(number, steps[:, k], minlength=len(self.bins))
        for at, group in self._groups(rows, day):
            self._add(group, number[at], weights[at], steps[at])
            self.clusters.add(group, clusters[at])
            self.authors.add(group, voices[at])

    def _groups(self, batch: pa.RecordBatch, day: Integers) -> list[tuple[Integers | slice, Integers]]:
        """Rows with their groups: all of them with their days, and those of named sources with these, and with the
        sources' periods."""
        found: list[tuple[Integers | slice, Integers]] = [(slice(None), day)]
        if self.sources:
            number = pc.index_in(batch.column("source").cast(pa.string()), value_set=self._names)
            at = number.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            rows = np.flatnonzero(at >= 0)
            found += [(rows, at[rows] + len(self.days))] if len(rows) else []
            rows = np.flatnonzero((at >= 0) & (at < self.followed))
            period = np.searchsorted(self.starts, period_starts(self.days[day[rows]], self.settings.every[-1]))
            found += [(rows, self.group_of(at[rows], period))] if len(rows) else []
        return found

    def group_of(self, source: Integers | int, period: Integers) -> Integers:
        """The group of a followed source and a period, by their numbers."""
        return np.asarray(len(self.days) + len(self.sources) + source * len(self.starts) + period)

    def label_numbers(self, batch: pa.RecordBatch) -> Integers:
        given = batch.column("label").cast(pa.string())
        numbers = pc.index_in(given, value_set=pa.array(self.labels, pa.string()))
        if numbers.null_count:
            stray = pc.unique(given.filter(pc.is_null(numbers))).to_pylist()
            raise UserError(
                f"the daily line: classified comments have the label {stray[0]!r}",
                f"the plan's labels: {', '.join(self.labels)}",
            )
        return np.asarray(numbers.to_numpy(), np.int64)

    def _add(self, group: Integers, number: Integers, weights: NDArray[np.uint8], steps: Floats) -> None:
        for k in range(len(self.labels)):
            self._steps[:, k] += np.bincount(group, steps[:, k], minlength=len(self._steps))
        order, starts, places = runs_of(group * len(self.bins) + number)
        resampled = self.resampled.reshape(-1, self.settings.bootstrap)  # (G × M, B), a view
        ends = np.append(starts, len(order))
        # a sparse product: 8 times as fast as np.add.reduceat over rows put in order
        members = csr_array((np.ones(len(order), np.int32), order, ends), shape=(len(starts), len(order)))
        resampled[places] += members @ weights.astype(np.int32)
        self.counts.reshape(-1)[places] += np.diff(ends)


def runs_of(places: Integers) -> tuple[Integers, Integers, Integers]:
    """Rows in the order of their places (N,), where each place's run of rows starts (S,), and the places (S,)."""
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    return order, starts, places[order[starts]]
