"""Times of every usual form in UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from tests.helpers.comment_files import NINE
from transfer.tables.timestamps import utc_times

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    "times",
    [
        pa.array([dt.datetime(2024, 3, 1, 9)], pa.timestamp("ns")),
        pa.array([NINE], pa.timestamp("s", tz="America/New_York")),
        pa.array([1709251200]),
        pa.array([1709251200.0]),
        pa.array([1709251200000]),
        pa.array([1709251200000000000]),
        *[
            pa.array([text])
            for text in (
                *("2024-03-01T09:00:00", "2024-03-01 09:00", "2024-03-01T00:00:00Z", "2024-03-01T02:00:00+02:00"),
                *("2024.3.1 9:00", "2024/03/01 09:00:00", "20240301090000", "1709251200", "1709251200000"),
                *("Fri Mar 01 00:00:00 +0000 2024", "Fri, 01 Mar 2024 00:00:00 GMT", "2024-03-01 00:00:00 UTC"),
            )
        ],
    ],
    ids=str,
)
def test_times_of_every_kind_come_out_in_utc(times: pa.Array) -> None:
    assert utc_times(times, SEOUL).to_pylist() == [NINE]


@pytest.mark.parametrize(
    "day", [pa.array([dt.date(2024, 3, 1)]), *map(pa.array, (["2024-03-01"], ["20240301"], [20240301]))]
)
def test_a_date_is_its_midnight_on_the_plans_clocks(day: pa.Array) -> None:
    assert utc_times(day, SEOUL).to_pylist() == [dt.datetime(2024, 2, 29, 15, tzinfo=dt.UTC)]


def test_summer_time_is_followed() -> None:
    local = ["2024-01-01 12:00", "2024-07-01 12:00", "2024-11-03 01:30", "2024-11-03 02:30"]
    hours = [time.hour for time in utc_times(pa.array(local), ZoneInfo("America/New_York")).to_pylist()]
    assert hours == [17, 16, 5, 7]
    stamps = pa.array([dt.datetime.fromisoformat(text) for text in local])
    assert utc_times(stamps, ZoneInfo("America/New_York")) == utc_times(pa.array(local), ZoneInfo("America/New_York"))


@pytest.mark.parametrize("text", ["", "soon", "3 days ago", "2024-13-01", "0", "12", "9" * 30, "0001-01-01", None])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert utc_times(pa.array([text, "2024-03-01T00:00Z"]), SEOUL).to_pylist() == [None, NINE]
