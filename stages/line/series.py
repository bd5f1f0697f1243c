"""The line itself: periods with their estimates, as plain frozen data that tables and pictures read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import dropwhile

from stages.line.settings import Every, IndexSettings

# A print of 10 inches shows some 400 points apart; more of them are noise.
MOST_POINTS = 400
# So many lines can still be told apart: six colours and two dashed ones.
MOST_LABELS = 8


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval. low and high are None where the clusters are too few for one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Period:
    """One day, week or month of the plan's time zone.

    start: its first day. n: comments in it. clusters: distinct authors (or sources) in it, exact up to 1,023, an
    estimate with a standard error of 3 % above. shares: per label, 0 to 1, of comments classified so.
    probabilities: per label, the mean of the predicted probability, 0 to 1. index: 0 to 100, None without weights.
    A period with fewer than min_comments is a gap: all its estimates are None.
    """

    every: Every
    start: date
    n: int
    clusters: int
    shares: Mapping[str, Estimate | None]
    probabilities: Mapping[str, float | None]
    index: Estimate | None

    @property
    def is_gap(self) -> bool:
        return any(share is None for share in self.shares.values())


@dataclass(frozen=True)
class Line:
    """All periods, each length in the order of time and without holes: an empty day is a period with n = 0.

    first, last: the days of the first and the last dated comment. n: dated comments. undated: comments without a time
    (or with one outside 1970 to 2199), which are in no period. counts: per label, dated comments classified so.
    clustered: dated comments by what they were clustered by,
    keys "author", "source", "comment".
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


def periods_of(line: Line, every: Every) -> list[Period]:
    """The periods of one length, without the gaps before the first and after the last that is drawn."""
    periods = [period for period in line.periods if period.every == every]
    periods = list(dropwhile(lambda period: period.is_gap, periods))
    return list(dropwhile(lambda period: period.is_gap, reversed(periods)))[::-1]


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


def as_json(line: Line) -> list[dict[str, object]]:
    """One object a period, ready for json.dumps: figures are numbers; shares and index are null in gaps."""
    return [
        {
            "every": period.every,
            "period": period.every,
            "start": period.start.isoformat(),
            "n": period.n,
            "clusters": period.clusters,
            "shares": {label: _figures(share) for label, share in period.shares.items()},
            "index": _figures(period.index),
        }
        for period in line.periods
    ]


def _figures(estimate: Estimate | None) -> dict[str, float | None] | None:
    return None if estimate is None else {"value": estimate.value, "low": estimate.low, "high": estimate.high}
