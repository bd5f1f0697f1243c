"""Words of emotions and of days that stand out: counted once an author, from the comments they say, few and safe."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.shard_reader import all_have
from stages.monitor.analysis import word_sample
from stages.monitor.analysis.distinctive_words import Words, distinctive_words
from stages.monitor.analysis.outlier_periods import OutlierPeriod, outlier_periods
from stages.monitor.analysis.word_sample import KEY, Span, sample_comments
from stages.monitor.report.context import Context
from stages.monitor.report.html_page import write_page
from stages.monitor.schema.index_settings import IndexSettings, WordsSettings
from stages.monitor.schema.line import Line
from transfer.text.cleaning import key_hash
from transfer.text.near_duplicates import near_key

LABELS = ("anger", "joy")
STORM = 20  # the day on which many are angry about a storm
SETTINGS = WordsSettings(examples=2)
Comment = tuple[str, int, str, str, str]  # id, day, author, label, text


def comments() -> list[Comment]:
    """30 days of 60 comments, each by another author, one in four angry; on one day most are, about the storm."""
    rng, found = np.random.default_rng(2), list[Comment]()
    for day in range(30):
        for i in range(60):
            is_angry = rng.random() < (0.8 if day == STORM else 0.25)
            about = " 폭풍 blackout" if day == STORM and is_angry else ""
            text = (
                f"짜증 awful 😡 {about} number {i} of day {day}"
                if is_angry
                else f"최고 😀 great number {i} of day {day}"
            )
            found.append((f"c{day}-{i}", day, f"a{day}-{i}", "anger" if is_angry else "joy", text))
    # one author who says it again and again, and a name that few say
    found += [(f"z{i}", STORM, "one", "anger", f"conspiracy number {i}") for i in range(40)]
    return found + [(f"n{i}", STORM, f"few{i}", "anger", f"김철수 {i}") for i in range(4)]


def write(path: Path, rows: Sequence[Comment]) -> Path:
    start = datetime(2024, 1, 1, 9, tzinfo=UTC)
    keys = [int.from_bytes(bytes.fromhex(key_hash(text)), "big", signed=True) for *_, text in rows]
    columns = {
        "id": [row[0] for row in rows],
        "time": pa.array([start + timedelta(days=row[1], seconds=i) for i, row in enumerate(rows)]),
        "author": [row[2] for row in rows],
        "source": pa.nulls(len(rows), pa.string()),
        "near": pa.array([near_key(row[4]) for row in rows], pa.int64()),
        "key": pa.array(keys, pa.int64()),
        "label": [row[3] for row in rows],
        **{f"p_{k}": pa.array([0.9 if row[3] == k else 0.1 for row in rows], pa.float32()) for k in LABELS},
    }
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("words") / "0.parquet", comments())


@pytest.fixture(scope="module")
def stormy(shard: Path) -> Line:
    settings = IndexSettings(every=["day"], min_comments=20, flood=None, author_cap=10)
    return daily_line([shard], LABELS, settings, 13)


def words_of(shard: Path, line: Line, texts: Sequence[tuple[str, str]] | None = None) -> Words:
    periods = outlier_periods(line, "day", 3)
    spans = [Span(np.datetime64(p.start), np.datetime64(p.start) + 1) for p in periods]
    sample = sample_comments([shard], LABELS, "UTC", spans, line.removed.comments)
    rows = [(c[0], c[4]) for c in comments()] if texts is None else texts
    return distinctive_words(sample, [tuple(zip(*rows, strict=True))], LABELS, periods, SETTINGS)  # type: ignore[list-item]


def test_the_day_that_stands_out_is_found_with_what_rose_in_it(stormy: Line) -> None:
    (day,) = outlier_periods(stormy, "day", 3)
    assert (day.start, day.label) == (date(2024, 1, 1 + STORM), "anger")
    assert day.share > 0.7
    assert day.usual < 0.35
    assert outlier_periods(stormy, "day", 0) == []


def test_words_of_all_time_are_of_the_emotion_and_those_of_a_day_explain_why_it_stands_out(
    shard: Path, stormy: Line
) -> None:
    words = words_of(shard, stormy)
    (day,) = words.periods
    assert {word.text for word in words.of(None, "anger", "emotions")} >= {"짜증", "awful", "😡"}
    assert {word.text for word in words.of(None, "joy", "emotions")} >= {"최고", "😀"}
    news = [word.text for word in words.of(day, "anger", "times")]
    assert set(news[:2]) == {"폭풍", "blackout"}
    assert "짜증" not in news  # said on every day alike


def test_a_word_counts_once_an_author_and_few_authors_make_none(shard: Path, stormy: Line) -> None:
    words = words_of(shard, stormy)
    found = {word.text for words_of_label in words.lists for word in words_of_label.words}
    assert not {"conspiracy", "김철수"} & found
    storm = next(word for word in words.of(words.periods[0], "anger", "times") if word.text == "폭풍")
    assert storm.n == sum(c[1] == STORM and "폭풍" in c[4] for c in comments())


def test_comments_that_caps_leave_out_are_not_read(shard: Path, stormy: Line) -> None:
    assert stormy.removed.rows == {"author cap": 30}
    left = sample_comments([shard], LABELS, "UTC", [], stormy.removed.comments)
    assert len(left) == len(comments()) - 30
    hashes = cluster_hashes(pa.record_batch({"id": left.column("id").combine_chunks()}), "comment")[0]
    assert not np.isin(hashes, stormy.removed.comments).any()


def test_a_flood_that_is_left_out_takes_nobodys_place_in_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = [(f"f{i}", STORM, f"bot{i}", "anger", f"buy now at shop number {i}") for i in range(3000)]
    path = write(tmp_path / "0.parquet", [*comments(), *flood])
    line = daily_line([path], LABELS, IndexSettings(every=["day"], flood=20, author_cap=None), 13)
    assert sum(line.removed.rows.values()) >= 2980
    monkeypatch.setattr(word_sample, "OF_ALL", 200)
    monkeypatch.setattr(word_sample, "OF_PERIOD", 50)
    span = Span(np.datetime64("2024-01-01") + STORM, np.datetime64("2024-01-02") + STORM)
    found = sample_comments([path], LABELS, "UTC", [span], line.removed.comments)
    assert sum(found.column("of_all").to_pylist()) == 200
    assert sum(found.column("in_0").to_pylist()) >= 50
    assert sum(identity.startswith("f") for identity in found.column("id").to_pylist()) <= 20


def test_a_text_that_changed_since_it_was_classified_is_left_out(shard: Path, stormy: Line) -> None:
    words = words_of(shard, stormy, [(c[0], f"{c[4]} edited") for c in comments()])
    assert words.read == 0
    assert words.lists == ()


def test_examples_are_of_different_texts_and_only_where_the_plan_allows_them(shard: Path, stormy: Line) -> None:
    words = words_of(shard, stormy)
    shown = words.examples[0, "anger"]
    assert all("폭풍" in text for text in shown)
    assert 1 <= len(shown) <= 2
    assert WordsSettings().examples == 0


def test_shards_without_keys_give_no_words(tmp_path: Path, shard: Path) -> None:
    pq.write_table(pq.read_table(shard).drop_columns(["key"]), tmp_path / "old.parquet")
    assert not all_have([shard, tmp_path / "old.parquet"], KEY)


def test_the_page_shows_words_as_text_with_their_limits(shard: Path, stormy: Line, tmp_path: Path) -> None:
    words = words_of(shard, stormy)
    evil = OutlierPeriod("day", date(2024, 1, 21), "anger", 0.8, 0.25, 9.0)
    lists = [replace(t, period=evil, words=(replace(t.words[0], text="<i>"),)) for t in words.lists if t.period]
    shown = replace(words, periods=(evil,), lists=tuple(lists), examples={(0, "anger"): ("<u>look</u>",)})
    write_page(stormy, [], {}, tmp_path / "p.html", context=Context(words=shown))
    page = (tmp_path / "p.html").read_text("utf-8")
    for text in (
        "&lt;i&gt;",
        "&lt;u&gt;look",
        "anger 80 %, about 25 % around it",
        "Monroe, Colaresi and Quinn",
        "조사가",
    ):
        assert text in page, text
