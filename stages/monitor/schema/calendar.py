"""From instants to local days, and from days to the weeks and months that contain them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]  # datetime64[D]
Int64 = NDArray[np.int64]

DAY = 86_400_000_000  # microseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Social media knows no comment outside these years: such a time is an error of the source.
EARLIEST = 0
LATEST = int((datetime(2200, 1, 1, tzinfo=UTC) - EPOCH) / timedelta(microseconds=1))

# Where a period is plotted, in days from its start: a day at itself, a week at its Thursday (ISO 8601), a month near
# its middle.
MIDDLE = {"day": 0, "week": 3, "month": 14}


def local_days(times: Int64, timezone: str) -> Days:
    """The day on the clocks of `timezone` at each instant, daylight saving time included.

    times: (N,) int64, microseconds since 1970 in UTC, within [EARLIEST, LATEST). Returns (N,) datetime64[D].
    The offset is looked up once a UTC day, and once a row on the few days on which clocks change.
    """
    dates, where = np.unique(times // DAY, return_inverse=True)
    at_start = np.array([_offset(int(day) * DAY, timezone) for day in dates], np.int64)
    at_end = np.array([_offset(int(day + 1) * DAY, timezone) for day in dates], np.int64)
    offsets = at_start[where]
    for row in np.flatnonzero((at_start != at_end)[where]):
        offsets[row] = _offset(int(times[row]), timezone)
    return ((times + offsets) // DAY).astype("datetime64[D]")


@lru_cache(maxsize=100_000)
def _offset(time: int, timezone: str) -> int:
    """Microseconds by which local clocks are ahead of UTC at an instant (microseconds since 1970)."""
    local = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(timezone))
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)


def period_starts(days: Days, every: str) -> Days:
    """The first day of the period that contains each day: the day itself, its Monday, or the first of its month."""
    if every == "week":
        return days - (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    if every == "month":
        return days.astype("datetime64[M]").astype("datetime64[D]")
    return days


def all_starts(first: np.datetime64, last: np.datetime64, every: str) -> Days:
    """The starts of all periods from the one that contains `first` to the one that contains `last`, none left out."""
    return np.unique(period_starts(np.arange(first, last + 1), every))


def next_start(start: np.datetime64, every: str) -> np.datetime64:
    """The first day of the period after the one that begins at `start`."""
    if every == "month":
        return np.datetime64(start.astype("datetime64[M]") + 1, "D")
    return start + (7 if every == "week" else 1)
