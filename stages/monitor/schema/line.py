"""The daily line: periods with their estimates, as plain frozen data that tables and pictures read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import dropwhile

import numpy as np
from numpy.typing import NDArray

from stages.monitor.schema.calendar import next_start
from stages.monitor.schema.index_settings import Every, IndexSettings, Method
from stages.monitor.schema.method_choice import COUNTED, GoldPredictions, MethodChoice

# In a print of 10 inches some 400 points are distinct; more look like noise.
MOST_POINTS = 400
# So many lines can still be distinguished: six colours and two dashed ones.
MOST_LABELS = 8


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval. low and high are None where the clusters are too few for one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Figures:
    """One method's estimates: shares per label, 0 to 1; index, 0 to 100, None without weights."""

    shares: Mapping[str, Estimate]
    index: Estimate | None


@dataclass(frozen=True)
class Period:
    """One day, week or month of the plan's time zone.

    start: its first day. n: comments in it. clusters: distinct authors (or sources) in it, exact up to 1,023, an
    estimate with a standard error of 3 % above. authors: likewise, a comment without an author counting as one.
    shares, index: of the estimate drawn bold. methods: all estimates that can be given, the bold one among them.
    probabilities: per label, the mean of the predicted probability, 0 to 1.
    A period with fewer than min_comments, or by fewer than min_clusters authors, is a gap: all estimates are None.
    """

    every: Every
    start: date
    n: int
    clusters: int
    authors: int
    shares: Mapping[str, Estimate | None]
    probabilities: Mapping[str, float | None]
    index: Estimate | None
    methods: Mapping[Method, Figures]

    @property
    def is_gap(self) -> bool:
        return any(share is None for share in self.shares.values())


@dataclass(frozen=True)
class Total:
    """All dated comments together, or those of one source: name, n, clusters and figures as in a period.

    periods: of a source, those of the longest length asked for, in the order of the line's; empty where it is not
    followed over time."""

    name: str
    n: int
    clusters: int
    methods: Mapping[Method, Figures]
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True)
class Removed:
    """Dated comments that do not count: rows by reason, each row once; counts by label. sees_floods: whether
    near-duplicates could be found, which shards of older versions do not allow. comments: sorted hashes of their ids
    (cluster_hashes), so that their words do not count either."""

    rows: Mapping[str, int]
    counts: Mapping[str, int]
    sees_floods: bool
    comments: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64), compare=False, repr=False)


@dataclass(frozen=True)
class Line:
    """All periods, each length in the order of time and without holes: an empty day is a period with n = 0.

    first, last: the days of the first and the last dated comment. n: dated comments. undated: comments without a time
    (or with one outside 1970 to 2199), which are in no period. counts: per label, dated comments classified so.
    clustered: dated comments by what they were clustered by, keys "author", "source", "comment".
    choice: which estimates there are, and which one is bold. gold: what the corrections are fitted on, None without.
    overall: all dated comments together. sources: those with the most comments, most first; too few comments or
    authors leave one without figures. removed: what caps and floods left out; in n and all figures it is not.
    """

    labels: tuple[str, ...]
    settings: IndexSettings
    periods: tuple[Period, ...]
    first: date
    last: date
    n: int
    undated: int
    counts: Mapping[str, int]
    clustered: Mapping[str, int]
    choice: MethodChoice
    gold: GoldPredictions | None
    overall: Total
    sources: tuple[Total, ...]
    removed: Removed

    @property
    def is_corrected(self) -> bool:
        return self.choice.drawn not in COUNTED

    @property
    def thin_method(self) -> Method | None:
        """The estimate drawn thin, besides the bold one: raw counts, or where these are bold, a correction if there
        is one."""
        others: tuple[Method, ...] = ("raw",) if self.choice.drawn != "raw" else ("pacc", "ppi")
        return next((method for method in others if method in self.choice.methods), None)


def periods_of(line: Line, every: Every) -> list[Period]:
    """The periods of one length, without the gaps before the first and after the last that is drawn."""
    return without_ends([period for period in line.periods if period.every == every])


def is_whole(line: Line, period: Period) -> bool:
    """Whether the line reaches from the period's first day to its last; a day always is."""
    end = next_start(np.datetime64(period.start), period.every)
    return bool(line.first <= period.start and np.datetime64(line.last) >= end - 1)


def whole_periods_of(line: Line, every: Every) -> list[Period]:
    """periods_of without a first or last one that the comments do not reach across: half a month cannot
    be compared with whole ones."""
    return without_ends([period for period in periods_of(line, every) if is_whole(line, period)])


def without_ends(periods: Sequence[Period]) -> list[Period]:
    """Without the gaps at either end."""
    there = list(dropwhile(lambda period: period.is_gap, periods))
    return list(dropwhile(lambda period: period.is_gap, reversed(there)))[::-1]


def headline(line: Line) -> Every:
    """The length of period that a picture shows first: the shortest that is neither crowded nor mostly gaps."""
    for every in line.settings.every:
        periods = periods_of(line, every)
        drawn = sum(not period.is_gap for period in periods)
        if 2 <= len(periods) <= MOST_POINTS and 3 * drawn >= 2 * len(periods):
            return every
    return line.settings.every[-1]


def prominent(line: Line) -> list[str]:
    """The labels that a picture shows at first: all of a few, else those with the most comments, most first."""
    if len(line.labels) <= MOST_LABELS:
        return list(line.labels)
    return sorted(line.labels, key=lambda label: -line.counts[label])[:MOST_LABELS]
