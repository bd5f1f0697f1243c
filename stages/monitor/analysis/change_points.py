"""Where the index changed its level for good: change points, found by the library ruptures where it is installed."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, whole_periods_of

LEAST_PERIODS = 20
SHORTEST = 5  # periods between two changes: a day's news is a spike and no change of level
# Yao (1988) asks for log n a change where noise is independent; daily moods are not, so more is asked for
STRICTNESS = 3.0


@dataclass(frozen=True)
class Change:
    """start: of the first period at the new level. before, after: mean index between this change and its neighbours."""

    start: date
    before: float
    after: float


def has_ruptures() -> bool:
    """Whether changes can be looked for: the extra `series` brings ruptures."""
    return find_spec("ruptures") is not None


def change_points(line: Line, every: Every) -> list[Change]:
    """Changes of the mean of the drawn index, gaps and a period that is not whole left out; none where there is no
    index, or too few periods.

    Exact search (PELT) for the steps with the least squared error plus a penalty for each: Killick, Fearnhead and
    Eckley, Optimal detection of changepoints with a linear computational cost (JASA 2012). The noise is measured on
    steps from period to period, whose median does not feel the changes.
    """
    periods = [period for period in whole_periods_of(line, every) if period.index is not None]
    if len(periods) < LEAST_PERIODS or not has_ruptures():
        return []
    values = np.array([period.index.value for period in periods if period.index])
    ends = [0, *_ends(tuple(values.tolist()))]
    means = [float(values[a:b].mean()) for a, b in pairwise(ends)]
    return [
        Change(periods[at].start, before, after)
        for at, before, after in zip(ends[1:-1], means[:-1], means[1:], strict=True)
    ]


@lru_cache(maxsize=16)
def _ends(index: tuple[float, ...]) -> list[int]:
    """Where each stretch of one level ends, the last one's end among them. Kept: page and picture ask alike."""
    import ruptures

    values = np.array(index)
    steps = np.diff(values)
    noise = (1.4826 * np.median(np.abs(steps - np.median(steps)))) ** 2 / 2  # a variance
    if noise == 0:
        return [len(values)]
    search = ruptures.Pelt(model="l2", min_size=SHORTEST, jump=1).fit(values)
    return [int(end) for end in search.predict(pen=STRICTNESS * noise * 2 * np.log(len(values)))]
