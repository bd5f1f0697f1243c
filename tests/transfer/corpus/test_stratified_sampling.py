"""A stratified draw: proportional, nested, fair to every comment, and blind to the order of files."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from transfer.corpus.stratified_sampling import OTHERS, SLICES, SOURCES, UNDATED, stratified_sample
from transfer.text.cleaning import key_hash
from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages

BEGIN = datetime(2024, 1, 1, 12, tzinfo=UTC)


def comments(n: int = 1200, *, backwards: bool = False) -> Callable[[], Iterator[pa.RecordBatch]]:
    """Comments over 60 days, half of them in the last ten, from five sources of very unlike size; some undated."""

    def day(i: int) -> int:
        return i % 50 if i % 2 else 50 + i % 10

    rows = [
        {
            "id": f"c{i}",
            "key": key_hash(f"text {i}"),
            "text": f"text {i}",
            "time": None if i % 40 == 0 else BEGIN + timedelta(days=day(i)),
            "source": "abcde"[min(i % 16, 4)] if i % 16 < 5 else "a",
            "file": 0,
        }
        for i in range(n)
    ]
    rows = rows[::-1] if backwards else rows
    return lambda: (pa.RecordBatch.from_pylist(rows[i : i + 100]) for i in range(0, n, 100))


def test_each_stratum_has_its_share_and_at_least_one() -> None:
    draw = stratified_sample(comments(), 240, 1, "UTC")
    counts = Counter(row.stratum for row in draw.rows)
    assert sum(draw.totals.values()) == 1200
    assert len(draw.rows) == len({row.id for row in draw.rows}) == 240
    assert set(counts) == set(draw.totals)
    for stratum, total in draw.totals.items():
        assert counts[stratum] == pytest.approx(total * 0.2, abs=1.5)
    assert any(name.startswith(UNDATED) for name in counts)
    assert any(name.endswith(OTHERS) for name in counts)
    assert len({name.split(" | ")[0] for name in counts} - {UNDATED}) == SLICES
    assert len({name.split(" | ")[1] for name in counts}) == SOURCES + 1


def test_a_beginning_of_the_sample_is_the_smaller_sample() -> None:
    large, small = stratified_sample(comments(), 300, 1, "UTC"), stratified_sample(comments(), 80, 1, "UTC")
    assert large.rows[:80] == small.rows
    counts = Counter(row.stratum for row in small.rows)
    assert all(counts[name] == pytest.approx(total / 15, abs=1.5) for name, total in large.totals.items())


def test_the_order_of_the_files_does_not_matter_and_the_seed_does() -> None:
    draw = stratified_sample(comments(), 100, 1, "UTC")
    assert stratified_sample(comments(backwards=True), 100, 1, "UTC").rows == draw.rows
    assert stratified_sample(comments(), 100, 2, "UTC").rows != draw.rows


def test_every_comment_of_a_stratum_has_the_same_chance() -> None:
    draws = [stratified_sample(comments(120), 40, seed, "UTC") for seed in range(300)]
    times = Counter(row for draw in draws for row in draw.rows)
    counts, totals = Counter(row.stratum for row in draws[0].rows), draws[0].totals
    assert len(times) == 120
    for row, drawn in times.items():
        chance = counts[row.stratum] / totals[row.stratum]
        assert drawn == pytest.approx(300 * chance, abs=5 * (300 * chance * (1 - chance)) ** 0.5)


def test_more_than_there_are_gives_all() -> None:
    assert len(stratified_sample(comments(50), 80, 1, "UTC").rows) == 50


def by_key(key: str, text: str) -> str:
    return key


def repeated() -> Iterator[pa.RecordBatch]:
    texts = ["flood"] * 60 + [f"text {i}" for i in range(40)]
    rows = [
        {"id": f"c{i}", "key": key_hash(text), "text": text, "time": BEGIN, "source": None, "file": i % 2}
        for i, text in enumerate(texts)
    ]
    yield pa.RecordBatch.from_pylist(rows)


def test_a_text_posted_often_is_drawn_often_as_comments_and_once_as_a_text() -> None:
    as_comments = stratified_sample(repeated, 50, 1, "UTC")
    assert 20 < sum(row.text == "flood" for row in as_comments.rows) < 40
    as_texts = stratified_sample(repeated, 50, 1, "UTC", same=by_key)
    assert sorted(Counter(row.key for row in as_texts.rows).values()) == [1] * 41
    without = stratified_sample(repeated, 50, 1, "UTC", same=by_key, without={key_hash("flood")})
    assert len(without.rows) == 40


def test_near_duplicates_and_other_languages_stay_out_and_are_counted() -> None:
    flood = [f"구독하고 선물 받아 가세요 여러분 {i}!! http" for i in range(50)]
    said = [
        *flood,
        *(f"오늘 정말 즐거운 하루였어요 {word}" for word in "가나다라마바사아자차"),
        "nothing but English here",
    ]
    rows = [
        {"id": f"c{i}", "key": key_hash(text), "text": text, "time": BEGIN, "source": "a", "file": 0}
        for i, text in enumerate(said)
    ]
    draw = stratified_sample(
        lambda: [pa.RecordBatch.from_pylist(rows)], 40, 1, "UTC", same=flood_key, wanted=in_languages(["ko"])
    )
    assert len(draw.rows) == 11
    assert draw.left_out == {"duplicate": 49, "other language": 1}
    known = {flood_key(row.key, row.text) for row in draw.rows}
    again = stratified_sample(lambda: [pa.RecordBatch.from_pylist(rows)], 40, 1, "UTC", same=flood_key, without=known)
    assert [row.text for row in again.rows] == ["nothing but English here"]


def test_without_spreading_all_is_one_stratum() -> None:
    draw = stratified_sample(comments(), 100, 1, "UTC", same=by_key, spread=False)
    assert set(draw.totals) == {"all"}
    assert stratified_sample(comments(backwards=True), 40, 1, "UTC", same=by_key, spread=False).rows == draw.rows[:40]
    assert stratified_sample(comments(), 0, 1, "UTC").rows == []
