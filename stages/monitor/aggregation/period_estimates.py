"""From the counts of days and sources to estimates of a period: by every method, of each label and the index."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from stages.monitor.aggregation.grouped_counts import GroupedCounts
from stages.monitor.quantification.correction_bootstrap import Correction
from stages.monitor.quantification.poisson_bootstrap import intervals
from stages.monitor.schema.calendar import Days, all_starts, period_starts
from stages.monitor.schema.emotion_index import index_of
from stages.monitor.schema.index_settings import Every, Method
from stages.monitor.schema.line import Estimate, Figures, Period, Total
from stages.monitor.schema.method_choice import GoldPredictions, MethodChoice

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Methods = dict[Method, Figures]
Number = TypeVar("Number", bound=np.generic)

AT_ONCE = 256  # periods × bins × resamples that are estimated together: 256 × 32 × 200 float64 are 13 MB


class Estimator:
    """Estimates of periods and sources. Which groups make one up is given by `holder`: (G,) its place, or −1."""

    def __init__(self, grouped: GroupedCounts, choice: MethodChoice, gold: GoldPredictions | None, seed: int) -> None:
        self.grouped, self.choice, self.settings = grouped, choice, grouped.settings
        self._correction = Correction(
            choice.methods, grouped.bins, grouped.bin_means, grouped.sample, gold, self.settings.bootstrap, seed
        )

    def periods(self, every: Every) -> Iterator[Period]:
        """The periods of one length, from the first day's to the last day's, empty ones included."""
        days = self.grouped.days
        starts = all_starts(days[0], days[-1], every)
        holder = np.full(len(self.grouped.counts), -1)
        holder[: len(days)] = np.searchsorted(starts, period_starts(days, every))
        yield from self._periods(every, starts, holder)

    def over_time(self, source: int) -> Iterator[Period]:
        """The same of one of the largest sources, by its number; none where it is not followed."""
        if source >= self.grouped.followed:
            return
        starts = self.grouped.starts
        holder = np.full(len(self.grouped.counts), -1)
        holder[self.grouped.group_of(source, np.arange(len(starts)))] = np.arange(len(starts))
        yield from self._periods(self.settings.every[-1], starts, holder)

    def _periods(self, every: Every, starts: Days, holder: Integers) -> Iterator[Period]:
        n, clusters, authors, means, found = self._figures(holder, len(starts))
        labels = self.grouped.labels
        for i, start in enumerate(starts):
            drawn = found[i][self.choice.drawn] if i in found else None
            yield Period(
                every=every,
                start=cast(date, start.item()),
                n=int(n[i]),
                clusters=int(clusters[i]),
                authors=int(authors[i]),
                shares=drawn.shares if drawn else dict.fromkeys(labels),
                probabilities=dict(zip(labels, means[i].tolist(), strict=True)) if drawn else dict.fromkeys(labels),
                index=drawn.index if drawn else None,
                methods=found.get(i, {}),
            )

    def overall(self) -> Total:
        """All dated comments together."""
        holder = np.where(np.arange(len(self.grouped.counts)) < len(self.grouped.days), 0, -1)
        return next(self._totals(holder, ["all"]))

    def sources(self) -> Iterator[Total]:
        """The largest sources, each over the whole line."""
        names = list(self.grouped.sources)
        if names:
            place = np.arange(len(self.grouped.counts)) - len(self.grouped.days)
            holder = np.where((place >= 0) & (place < len(names)), place, -1)
            for i, total in enumerate(self._totals(holder, names)):
                yield replace(total, periods=tuple(self.over_time(i)))

    def _totals(self, holder: Integers, names: list[str]) -> Iterator[Total]:
        n, clusters, _, _, found = self._figures(holder, len(names))
        for i, name in enumerate(names):
            yield Total(name, int(n[i]), int(clusters[i]), found.get(i, {}))

    def _figures(self, holder: Integers, size: int) -> tuple[Integers, Integers, Integers, Floats, dict[int, Methods]]:
        """Comments, clusters and authors of each place, (size,), its mean probabilities, (size, K), and the figures of
        those that are no gaps."""
        counts = self._summed(self.grouped.counts, holder, size)  # (P, M)
        n, clusters, authors = counts.sum(axis=1), self._distinct(holder, size), self._distinct(holder, size, True)
        enough = np.flatnonzero((n >= self.settings.min_comments) & (authors >= self.settings.min_clusters))
        means = self._summed(self.grouped.probabilities, holder, size) / np.maximum(n, 1)[:, None]
        found: dict[int, Methods] = {}
        for first in range(0, len(enough), AT_ONCE):
            some = enough[first : first + AT_ONCE]
            resampled = self._resampled(holder, some)
            found |= self._estimated(some, counts[some].astype(np.float64), means[some], resampled, clusters[some])
        return n, clusters, authors, means, found

    def _distinct(self, holder: Integers, size: int, of_authors: bool = False) -> Integers:
        counts = (self.grouped.authors if of_authors else self.grouped.clusters).counts(holder)
        return np.pad(counts, (0, size - len(counts)))

    @staticmethod
    def _summed(values: NDArray[Number], holder: Integers, size: int) -> NDArray[Number]:
        total = np.zeros((size, *values.shape[1:]), values.dtype)
        np.add.at(total, holder[holder >= 0], values[holder >= 0])
        return total

    def _resampled(self, holder: Integers, places: Integers) -> NDArray[np.int32]:
        """(P, M, B) of some places, in their order."""
        mask = np.isin(holder, places)
        return self._summed(self.grouped.resampled[mask], np.searchsorted(places, holder[mask]), len(places))

    def _estimated(
        self, places: Integers, counts: Floats, means: Floats, resampled: NDArray[np.int32], clusters: Integers
    ) -> dict[int, Methods]:
        values = self._correction.values(counts, means)
        again = self._correction.replicates(counts, means, resampled)
        has_interval = clusters >= self.settings.min_clusters
        found: dict[int, Methods] = {int(place): {} for place in places}
        for method in self.choice.methods:
            value, replicates = self._with_index(values[method]), self._with_index(again[method])
            low, high = intervals(replicates)
            for i, place in enumerate(places):
                found[int(place)][method] = self._as_figures(value[i], low[i], high[i], bool(has_interval[i]))
        return found

    def _with_index(self, shares: Floats) -> Floats:
        """Shares (P, K, ...) with the index behind them, (P, K + 1, ...), where the plan gives weights."""
        if self.settings.weights is None:
            return shares
        index = index_of(np.moveaxis(shares, 1, 0), self.settings.weights, self.grouped.labels)
        return np.concatenate([shares, index[:, None]], axis=1)

    def _as_figures(self, value: Floats, low: Floats, high: Floats, has_interval: bool) -> Figures:
        found = [
            Estimate(v, a, b) if has_interval and not math.isnan(a) else Estimate(v, None, None)
            for v, a, b in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)
        ]
        shares = dict(zip(self.grouped.labels, found, strict=False))
        return Figures(shares, found[-1] if self.settings.weights is not None else None)
