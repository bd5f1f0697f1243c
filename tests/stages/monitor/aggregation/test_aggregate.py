from datetime import UTC, date, datetime

import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from tests.helpers.classified_shards import (
    LABELS,
    NOON,
    Row,
    WriteShard,
    line_from,
    periods_of,
    random_rows,
    shares_of,
)


def test_shares_index_and_probabilities_are_those_counted_by_hand(shard: WriteShard) -> None:
    rows: list[Row] = [
        (NOON, f"a{i}", None, label) for i, label in enumerate(["분노"] * 2 + ["중립"] * 5 + ["기쁨"] * 3)
    ]
    (day,) = periods_of(line_from([shard(rows)], every=["day"]), "day")
    assert (day.start, day.n, day.clusters) == (date(2024, 5, 6), 10, 10)
    assert shares_of(day) == pytest.approx([0.2, 0, 0.5, 0.3])
    assert day.index is not None
    assert day.index.value == pytest.approx(50 + 50 * (0.3 - 0.2))
    assert day.probabilities["기쁨"] == pytest.approx((3 * 0.7 + 7 * 0.1) / 10, abs=1e-6)


def test_days_are_those_of_the_time_zone(shard: WriteShard) -> None:
    late = datetime(2024, 5, 6, 15, 30, tzinfo=UTC)
    (day,) = periods_of(line_from([shard([(late, "a", None, "기쁨")])], every=["day"], timezone="Asia/Seoul"), "day")
    assert day.start == date(2024, 5, 7)


def test_comments_without_a_time_are_counted_and_in_no_period(shard: WriteShard) -> None:
    impossible = datetime(1931, 1, 1, tzinfo=UTC)
    rows: list[Row] = [(NOON, "a", None, "기쁨"), (None, "a", None, "분노"), (impossible, "a", None, "분노")]
    line = line_from([shard(rows)])
    assert (line.n, line.undated) == (1, 2)
    assert [period.n for period in line.periods] == [1, 1]
    assert line.counts == {"분노": 0, "슬픔": 0, "중립": 0, "기쁨": 1}


def test_the_line_does_not_depend_on_the_order_of_rows_or_on_the_cut_into_shards(shard: WriteShard) -> None:
    rows = random_rows(3_000, 20)
    one = line_from([shard(rows, "all")])
    other = line_from([shard(rows[2_000:][::-1], "late"), shard(rows[:2_000], "early")])
    assert [period.n for period in one.periods] == [period.n for period in other.periods]
    assert [period.shares for period in one.periods] == [period.shares for period in other.periods]
    assert [period.index for period in one.periods] == [period.index for period in other.periods]
    assert [period.shares for period in line_from([shard(rows, "all")], seed=14).periods] != [
        p.shares for p in one.periods
    ]


def test_without_weights_there_are_shares_and_no_index(shard: WriteShard) -> None:
    line = line_from([shard(random_rows(500, 2))], weights=None)
    assert all(period.index is None for period in line.periods)
    assert not any(period.is_gap for period in line.periods)


def test_progress_ends_at_the_number_of_rows(shard: WriteShard) -> None:
    calls: list[float] = []
    path = shard(random_rows(500, 2))
    daily_line([path], LABELS, IndexSettings(), 13, calls.append)
    assert sum(calls) == 500
