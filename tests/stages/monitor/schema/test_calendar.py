from datetime import UTC, datetime

import numpy as np
import pytest

from stages.monitor.schema.calendar import all_starts, local_days, period_starts


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("utc", "timezone", "day"),
    [
        ("2024-03-31 14:59:59", "Asia/Seoul", "2024-03-31"),
        ("2024-03-31 15:00:00", "Asia/Seoul", "2024-04-01"),
        # Berlin's clocks went forward on 2024-03-31: that day has 23 hours, 23:00 UTC to 22:00 UTC
        ("2024-03-30 22:59:59", "Europe/Berlin", "2024-03-30"),
        ("2024-03-30 23:00:00", "Europe/Berlin", "2024-03-31"),
        ("2024-03-31 21:59:59", "Europe/Berlin", "2024-03-31"),
        ("2024-03-31 22:00:00", "Europe/Berlin", "2024-04-01"),
        # and back on 2024-10-27, a day of 25 hours
        ("2024-10-27 22:59:59", "Europe/Berlin", "2024-10-27"),
        ("2024-10-27 23:00:00", "Europe/Berlin", "2024-10-28"),
        # St John's went back at 00:01: the new day begins, goes back to the old one, and begins again
        ("2010-11-07 02:30:30", "America/St_Johns", "2010-11-07"),
        ("2010-11-07 03:00:00", "America/St_Johns", "2010-11-06"),
        ("2010-11-07 03:30:00", "America/St_Johns", "2010-11-07"),
        # São Paulo's midnight did not exist on 2018-11-04
        ("2018-11-04 02:59:59", "America/Sao_Paulo", "2018-11-03"),
        ("2018-11-04 03:00:00", "America/Sao_Paulo", "2018-11-04"),
    ],
)
def test_a_comment_falls_on_the_day_that_local_clocks_show(utc: str, timezone: str, day: str) -> None:
    assert str(local_days(np.array([instant(utc)]), timezone)[0]) == day


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    days = np.array(["2023-12-31", "2024-01-01", "2024-03-03"], "datetime64[D]")
    assert [str(day) for day in period_starts(days, "week")] == ["2023-12-25", "2024-01-01", "2024-02-26"]
    assert [str(day) for day in period_starts(days, "month")] == ["2023-12-01", "2024-01-01", "2024-03-01"]


def test_no_period_between_the_first_and_the_last_is_left_out() -> None:
    first, last = np.datetime64("2023-12-31"), np.datetime64("2024-03-01")
    assert [str(day) for day in all_starts(first, last, "month")] == [
        "2023-12-01",
        "2024-01-01",
        "2024-02-01",
        "2024-03-01",
    ]
    assert len(all_starts(first, last, "day")) == 62
