"""The generated texts: repeatable, rough, dated, with an event that truly moves the mood."""

from collections import Counter
from datetime import timedelta

import pytest

from stages.demo.corpus import FULL, LABELS, SMALL, Corpus, make_corpus
from transfer.text.cleaning import clean, key


@pytest.fixture(scope="module", params=["ko", "en"])
def full(request: pytest.FixtureRequest) -> Corpus:
    return make_corpus(request.param, 13, FULL)


def test_the_same_seed_gives_the_same_texts_and_another_seed_others(corpus: Corpus) -> None:
    assert make_corpus("ko", 13, SMALL) == corpus
    assert make_corpus("ko", 14, SMALL).comments != corpus.comments


def test_texts_are_diverse(full: Corpus) -> None:
    assert len({row.text for row in full.original}) > 0.65 * len(full.original)
    assert len({comment.text for comment in full.comments}) > 0.75 * len(full.comments)


def test_the_original_data_has_all_labels_alike(full: Corpus) -> None:
    counts = Counter(row.label for row in full.original)
    assert set(counts) == set(LABELS)
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_formal_sentences_and_comments_are_different_texts(full: Corpus) -> None:
    formal = {key(clean(row.text)) for row in full.original}
    comments = {key(clean(comment.text or "")) for comment in full.comments}
    shared = formal & comments
    assert len(shared) < 0.01 * len(comments)


def test_comments_are_dated_in_order_over_all_days(full: Corpus) -> None:
    times = [comment.written_at for comment in full.comments]
    assert times == sorted(times)
    assert len({time.date() for time in times}) == FULL.days
    assert all(time.tzinfo is None for time in times)


def test_comments_have_the_dirt_of_real_ones(full: Corpus) -> None:
    texts = [comment.text for comment in full.comments]
    counts = Counter(text for text in texts if text)
    assert texts.count(None) > 0
    assert sum(counts.values()) - len(counts) > 300  # duplicates
    for mark in ("https://", "@user", "&quot;"):
        assert any(mark in text for text in counts)


def test_floods_are_one_author_repeating_one_text_within_an_hour(corpus: Corpus) -> None:
    flood = [comment for comment in corpus.comments if comment.author == "promo0"]
    assert len({comment.text for comment in flood}) == 1
    assert len(flood) >= 3
    assert flood[-1].written_at - flood[0].written_at < timedelta(hours=1)


def test_some_texts_are_written_in_different_moods(full: Corpus) -> None:
    moods: dict[str, set[str]] = {}
    for comment in full.comments:
        if comment.text:
            moods.setdefault(key(clean(comment.text)), set()).add(comment.emotion)
    assert sum(len(found) > 1 for found in moods.values()) > 30


def test_the_event_shifts_the_mood_and_the_shift_wears_off(full: Corpus) -> None:
    week = timedelta(days=7)
    before = _anger(full, full.event - week, full.event)
    during = _anger(full, full.event, full.event + week)
    long_after = _anger(full, full.event + 6 * week, full.event + 7 * week)
    assert during > before + 0.15
    assert abs(long_after - before) < 0.1


def _anger(corpus: Corpus, start: object, end: object) -> float:
    written = [comment.emotion for comment in corpus.comments if start <= comment.written_at.date() < end]  # type: ignore[operator]
    return written.count("anger") / len(written)


def test_gold_is_a_sample_of_distinct_comments_by_an_annotator_who_seldom_errs(full: Corpus) -> None:
    assert len({comment.text for comment, _ in full.gold}) == FULL.gold
    assert {comment.id for comment, _ in full.gold} <= {comment.id for comment in full.comments}
    right = sum(comment.emotion == label for comment, label in full.gold)
    assert 0.9 * FULL.gold < right < FULL.gold
