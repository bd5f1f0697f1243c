"""When comments were written: any usual form of a time column, as UTC.

A time without a zone is one of the plan's zone. Zones come from zoneinfo, whose data the package tzdata brings where
the machine has none; Arrow's own would fail there.
"""

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transfer.tables.table_columns import as_text

UTC_TIME = pa.timestamp("us", tz="UTC")

_EPOCH = dt.datetime(1970, 1, 1)
_QUARTER = 900_000_000  # microseconds; zones change at quarter-hours, so one look-up serves all times within one
_YEARS = (1900, 2200)  # times outside are no times of comments
# Below 10^11 a number counts seconds (up to the year 5138), then milli-, micro-, nanoseconds; microseconds in each.
_UNITS = ((10**11, 1_000_000.0), (10**14, 1_000.0), (10**17, 1.0), (10**20, 0.001))
_LEAST_EPOCH = 10**8  # 1973: a smaller number counts something else
_NUMBER = re.compile(r"\d+(\.\d+)?")
_COMPACT = re.compile(r"((?:19|20)\d{6})(\d{4}|\d{6})?")
_DATE = re.compile(r"(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})\.?(?:[T ]+(\d{1,2})(:\d{2}.*)?)?")


def utc_times(array: pa.Array, zone: ZoneInfo) -> pa.Array:
    """timestamp[us, UTC] of a column of times; null where the value is null or cannot be read as a time.

    array: timestamps with or without a zone; dates, which are their midnight; ISO 8601 text, also as 2024.3.1 9:05;
    e-mail's and Twitter's text; digits as YYYYMMDD[HHMM[SS]], or as seconds, milli-, micro- or nanoseconds since 1970.
    An hour that comes twice at the end of summer time is the first one.
    """
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        numbers = pc.cast(pc.cast(array, pa.timestamp("us", getattr(kind, "tz", None)), safe=False), pa.int64())
        return _plausible(numbers if getattr(kind, "tz", None) else _in_utc(numbers, zone))
    read = [None if text is None else _read(text) for text in as_text(array, "the time column").to_pylist()]
    local = [time if time is not None and time.tzinfo is None else None for time in read]
    absolute = [time if time is not None and time.tzinfo is not None else None for time in read]
    numbers = pc.cast(pa.array(local, pa.timestamp("us")), pa.int64())
    return pc.coalesce(pa.array(absolute, UTC_TIME), _plausible(_in_utc(numbers, zone)))


def _in_utc(local: pa.Array, zone: ZoneInfo) -> pa.Array:
    """Microseconds since 1970 in UTC of microseconds since 1970 on the zone's clocks, int64 both; nulls stay."""
    numbers = _within_years(local)
    blocks, block_of = np.unique(pc.fill_null(numbers, 0).to_numpy() // _QUARTER, return_inverse=True)
    offsets = np.array([_offset(int(block), zone) for block in blocks], np.int64)
    return pc.subtract(numbers, pa.array(offsets[block_of], pa.int64()))


def _offset(block: int, zone: ZoneInfo) -> int:
    """Microseconds by which the zone's clocks are ahead of UTC in a quarter-hour counted on those clocks."""
    shown = (_EPOCH + dt.timedelta(microseconds=block * _QUARTER)).replace(tzinfo=zone)
    return int((shown.utcoffset() or dt.timedelta()) / dt.timedelta(microseconds=1))


def _within_years(numbers: pa.Array) -> pa.Array:
    low, high = ((dt.datetime(year, 1, 1) - _EPOCH) // dt.timedelta(microseconds=1) for year in _YEARS)
    inside = pc.and_(pc.greater_equal(numbers, low), pc.less(numbers, high))
    return pc.if_else(inside, numbers, pa.scalar(None, pa.int64()))


def _plausible(numbers: pa.Array) -> pa.Array:
    return pc.cast(_within_years(numbers), UTC_TIME)


def _read(text: str) -> dt.datetime | None:
    """A time with its zone, or without one where the text has none."""
    text = text.strip().replace(" UTC", "Z")
    try:
        if compact := _COMPACT.fullmatch(text):
            return dt.datetime.fromisoformat("T".join(part for part in compact.groups() if part))
        if _NUMBER.fullmatch(text):
            return _of_number(text)
        return _of_words(text)
    except (ValueError, OverflowError):
        return None


def _of_words(text: str) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        if parts := _DATE.fullmatch(text):
            year, month, day, hour, rest = parts.groups()
            clock = f"T{int(hour):02d}{(rest or '').replace(' ', '')}" if hour else ""
            time = dt.datetime.fromisoformat(f"{year}-{int(month):02d}-{int(day):02d}{clock}")
        else:
            time = parsedate_to_datetime(text)
    return time if _YEARS[0] <= time.year < _YEARS[1] else None


def _of_number(text: str) -> dt.datetime | None:
    number = float(text)
    factor = next((factor for bound, factor in _UNITS if _LEAST_EPOCH <= number < bound), None)
    if factor is None:
        return None
    return (_EPOCH + dt.timedelta(microseconds=round(number * factor))).replace(tzinfo=dt.UTC)
