"""Estimates of a period: with intervals over authors, or a gap where too few wrote."""

from datetime import date, timedelta

import pytest

from tests.helpers.classified_shards import LABELS, NOON, Row, WriteShard, line_from, periods_of, shares_of


def test_a_day_with_too_few_comments_is_a_gap_and_an_empty_day_too(shard: WriteShard) -> None:
    rows: list[Row] = [(NOON, f"a{i}", None, "기쁨") for i in range(30)]
    rows += [(NOON + timedelta(days=1), f"b{i}", None, "분노") for i in range(4)]
    rows += [(NOON + timedelta(days=3), f"c{i}", None, "기쁨") for i in range(30)]
    line = line_from([shard(rows)], every=["day", "week"], min_comments=5)
    assert [(day.n, day.is_gap, day.index is None) for day in periods_of(line, "day")] == [
        (30, False, False),
        (4, True, True),
        (0, True, True),
        (30, False, False),
    ]
    (week,) = periods_of(line, "week")
    assert (week.start, week.n, week.clusters) == (date(2024, 5, 6), 64, 64)
    assert shares_of(week) == pytest.approx([4 / 64, 0, 0, 60 / 64])


def test_intervals_are_wider_where_few_authors_wrote_the_comments(shard: WriteShard) -> None:
    """400 comments, by 400 authors or by 20 who always feel the same."""
    feelings = [LABELS[i % 4] for i in range(20)]
    many: list[Row] = [(NOON, f"a{i}", None, feelings[i % 20]) for i in range(400)]
    few: list[Row] = [(NOON, f"a{i % 20}", None, feelings[i % 20]) for i in range(400)]
    wide, narrow = (periods_of(line_from([shard(rows)], every=["day"]), "day")[0].index for rows in (few, many))
    assert wide is not None
    assert narrow is not None
    assert wide.value == narrow.value
    assert wide.high is not None
    assert wide.low is not None
    assert narrow.high is not None
    assert narrow.low is not None
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)  # √20 = 4.5 times, but for chance


def test_a_day_by_too_few_authors_is_a_gap(shard: WriteShard) -> None:
    (day,) = periods_of(line_from([shard([(NOON, "one", None, "기쁨")] * 100)], every=["day"], author_cap=None), "day")
    assert (day.n, day.authors, day.is_gap) == (100, 1, True)


def test_many_authors_of_one_source_give_a_value_but_no_interval_over_sources(shard: WriteShard) -> None:
    rows: list[Row] = [(NOON, f"a{i}", "film", "기쁨") for i in range(100)]
    (day,) = periods_of(line_from([shard(rows)], every=["day"], cluster="source"), "day")
    share = day.shares["기쁨"]
    assert share is not None
    assert (share.value, share.low, share.high) == (1, None, None)
    assert (day.clusters, day.authors) == (1, 100)
