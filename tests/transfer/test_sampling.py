"""The labeller's sample is drawn by hash: seeded, distinct, nested, and blind to the order of the files."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from transfer.sampling import sample_comments

COMMENTS = [(f"key{i}", f"text {i}") for i in range(500)]


def batches(comments: Sequence[tuple[str, str]], rows: int = 64) -> list[pa.RecordBatch]:
    pieces = [comments[i : i + rows] for i in range(0, len(comments), rows)]
    return [pa.record_batch([[k for k, _ in piece], [t for _, t in piece]], names=["key", "text"]) for piece in pieces]


def test_a_sample_follows_from_its_seed_and_not_from_the_order_of_the_comments() -> None:
    first = sample_comments(batches(COMMENTS), 50, seed=1)
    assert len(first) == 50
    assert set(first) <= set(COMMENTS)
    shuffled = [COMMENTS[i] for i in np.random.default_rng(0).permutation(500)]
    assert sample_comments(batches(shuffled, rows=7), 50, seed=1) == first
    assert sample_comments(batches(COMMENTS), 50, seed=2) != first


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    small, large = (sample_comments(batches(COMMENTS), size, seed=1) for size in (50, 200))
    assert large[:50] == small


def test_comments_that_came_later_only_replace_what_they_outrank() -> None:
    few, more = (sample_comments(batches(COMMENTS[:n]), 50, seed=1) for n in (300, 500))
    assert [pair for pair in more if pair in COMMENTS[:300]] == [pair for pair in few if pair in more]


def test_each_text_comes_once_however_often_it_was_written() -> None:
    spam = COMMENTS + [COMMENTS[7]] * 1000
    assert sample_comments(batches(spam), 50, seed=1) == sample_comments(batches(COMMENTS), 50, seed=1)
    everything = sample_comments(batches(spam), 10_000, seed=1)
    assert sorted(everything) == sorted(COMMENTS)


@pytest.mark.parametrize("size", [1, 3])
def test_of_several_spellings_the_same_is_taken_whichever_came_first(size: int) -> None:
    spellings = [("a", "So HAPPY"), ("b", "other"), ("a", "so happy"), ("a", "SO HAPPY"), ("c", "third")]
    forwards = sample_comments(batches(spellings, rows=2), size, seed=1)
    assert sample_comments(batches(spellings[::-1], rows=2), size, seed=1) == forwards
    assert len(forwards) == size
    if size == 3:
        assert ("a", "SO HAPPY") in forwards


def test_what_is_taken_elsewhere_is_left_out() -> None:
    taken = {key for key, _ in sample_comments(batches(COMMENTS), 100, seed=1)}
    rest = sample_comments(batches(COMMENTS), 100, seed=1, without=taken)
    assert len(rest) == 100
    assert not taken & {key for key, _ in rest}


def test_every_comment_has_the_same_chance() -> None:
    drawn = [key for seed in range(200) for key, _ in sample_comments(batches(COMMENTS[:100]), 10, seed=seed)]
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 100
    assert counts.std() < 1.5 * np.sqrt(20)


def test_none_of_none() -> None:
    assert sample_comments([], 10, seed=1) == []
    assert sample_comments(batches(COMMENTS), 0, seed=1) == []
