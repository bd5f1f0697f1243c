from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line, Period
from tests.helpers.classified_shards import LABELS, WEIGHTS, Row, random_rows
from transfer.errors import UserError

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
Write = Callable[..., Path]


def drawn(shards: Sequence[Path], *, seed: int = 13, **settings: object) -> Line:
    given = {"weights": WEIGHTS, "min_comments": 1, "min_clusters": 2, **settings}
    return daily_line(shards, LABELS, IndexSettings.model_validate(given), seed)


def of(line: Line, every: str) -> list[Period]:
    return [period for period in line.periods if period.every == every]


def values(period: Period) -> list[float | None]:
    return [share.value if share else None for share in period.shares.values()]


def test_shares_index_and_probabilities_are_those_counted_by_hand(shard: Write) -> None:
    rows: list[Row] = [
        (NOON, f"a{i}", None, label) for i, label in enumerate(["분노"] * 2 + ["중립"] * 5 + ["기쁨"] * 3)
    ]
    (day,) = of(drawn([shard(rows)], every=["day"]), "day")
    assert (day.start, day.n, day.clusters) == (date(2024, 5, 6), 10, 10)
    assert values(day) == pytest.approx([0.2, 0, 0.5, 0.3])
    assert day.index is not None
    assert day.index.value == pytest.approx(50 + 50 * (0.3 - 0.2))
    assert day.probabilities["기쁨"] == pytest.approx((3 * 0.7 + 7 * 0.1) / 10, abs=1e-6)


def test_days_are_those_of_the_time_zone(shard: Write) -> None:
    late = datetime(2024, 5, 6, 15, 30, tzinfo=UTC)
    (day,) = of(drawn([shard([(late, "a", None, "기쁨")])], every=["day"], timezone="Asia/Seoul"), "day")
    assert day.start == date(2024, 5, 7)


def test_a_day_with_too_few_comments_is_a_gap_and_an_empty_day_too(shard: Write) -> None:
    rows: list[Row] = [(NOON, f"a{i}", None, "기쁨") for i in range(30)]
    rows += [(NOON + timedelta(days=1), f"b{i}", None, "분노") for i in range(4)]
    rows += [(NOON + timedelta(days=3), f"c{i}", None, "기쁨") for i in range(30)]
    line = drawn([shard(rows)], every=["day", "week"], min_comments=5)
    assert [(day.n, day.is_gap, day.index is None) for day in of(line, "day")] == [
        (30, False, False),
        (4, True, True),
        (0, True, True),
        (30, False, False),
    ]
    (week,) = of(line, "week")
    assert (week.start, week.n, week.clusters) == (date(2024, 5, 6), 64, 64)
    assert values(week) == pytest.approx([4 / 64, 0, 0, 60 / 64])


def test_comments_without_a_time_are_counted_and_in_no_period(shard: Write) -> None:
    impossible = datetime(1931, 1, 1, tzinfo=UTC)
    rows: list[Row] = [(NOON, "a", None, "기쁨"), (None, "a", None, "분노"), (impossible, "a", None, "분노")]
    line = drawn([shard(rows)])
    assert (line.n, line.undated) == (1, 2)
    assert [period.n for period in line.periods] == [1, 1]
    assert line.counts == {"분노": 0, "슬픔": 0, "중립": 0, "기쁨": 1}


def test_the_line_does_not_depend_on_the_order_of_rows_or_on_the_cut_into_shards(shard: Write) -> None:
    rows = random_rows(3_000, 20)
    one = drawn([shard(rows, "all")])
    other = drawn([shard(rows[2_000:][::-1], "late"), shard(rows[:2_000], "early")])
    assert [period.n for period in one.periods] == [period.n for period in other.periods]
    assert [period.shares for period in one.periods] == [period.shares for period in other.periods]
    assert [period.index for period in one.periods] == [period.index for period in other.periods]
    assert [period.shares for period in drawn([shard(rows, "all")], seed=14).periods] != [p.shares for p in one.periods]


def test_intervals_are_wider_where_few_authors_wrote_the_comments(shard: Write) -> None:
    """400 comments, by 400 authors or by 20 who always feel the same."""
    feelings = [LABELS[i % 4] for i in range(20)]
    many: list[Row] = [(NOON, f"a{i}", None, feelings[i % 20]) for i in range(400)]
    few: list[Row] = [(NOON, f"a{i % 20}", None, feelings[i % 20]) for i in range(400)]
    wide, narrow = (of(drawn([shard(rows)], every=["day"]), "day")[0].index for rows in (few, many))
    assert wide is not None
    assert narrow is not None
    assert wide.value == narrow.value
    assert wide.high is not None
    assert wide.low is not None
    assert narrow.high is not None
    assert narrow.low is not None
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)  # √20 = 4.5 times, but for chance


def test_a_day_by_too_few_authors_is_a_gap(shard: Write) -> None:
    (day,) = of(drawn([shard([(NOON, "one", None, "기쁨")] * 100)], every=["day"], author_cap=None), "day")
    assert (day.n, day.authors, day.is_gap) == (100, 1, True)


def test_many_authors_of_one_source_give_a_value_but_no_interval_over_sources(shard: Write) -> None:
    rows: list[Row] = [(NOON, f"a{i}", "film", "기쁨") for i in range(100)]
    (day,) = of(drawn([shard(rows)], every=["day"], cluster="source"), "day")
    share = day.shares["기쁨"]
    assert share is not None
    assert (share.value, share.low, share.high) == (1, None, None)
    assert (day.clusters, day.authors) == (1, 100)


def test_without_weights_there_are_shares_and_no_index(shard: Write) -> None:
    line = drawn([shard(random_rows(500, 2))], weights=None)
    assert all(period.index is None for period in line.periods)
    assert not any(period.is_gap for period in line.periods)


def test_progress_ends_at_the_number_of_rows(shard: Write) -> None:
    calls: list[tuple[int, int]] = []
    path = shard(random_rows(500, 2))
    daily_line([path], LABELS, IndexSettings(), 13, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (500, 500)


def test_a_shard_without_a_column_is_refused_by_name(shard: Write) -> None:
    with pytest.raises(UserError, match=r"shard\.parquet: no column 'p_놀람'"):
        daily_line([shard(random_rows(9, 1))], [*LABELS, "놀람"], IndexSettings(), 13)


def test_a_label_that_the_plan_does_not_know_is_refused(shard: Write) -> None:
    with pytest.raises(UserError, match="carry the label '놀람'"):
        drawn([shard([(NOON, "a", None, "놀람")])])


def test_nothing_classified_or_nothing_dated_is_a_clear_error(shard: Write) -> None:
    with pytest.raises(UserError, match="no classified comments"):
        drawn([])
    with pytest.raises(UserError, match="none of the 2 classified comments has a time"):
        drawn([shard([(None, "a", None, "기쁨")] * 2)])


def test_times_in_other_units_and_dictionary_columns_are_read(tmp_path: Path, shard: Write) -> None:
    table = pq.read_table(shard([(NOON, f"a{i}", None, "기쁨") for i in range(5)]))
    for name, kind in (("time", pa.timestamp("ns")), ("label", pa.dictionary(pa.int8(), pa.string()))):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    pq.write_table(table, tmp_path / "other.parquet")
    assert [period.n for period in drawn([tmp_path / "other.parquet"]).periods] == [5, 5]
