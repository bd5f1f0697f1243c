"""Words of emotions and of days that stand out: counted once an author, from the comments they say, few and safe."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from stages.monitor.analysis.distinctive_words import Words, distinctive_words
from stages.monitor.analysis.outlier_periods import OutlierPeriod, outlier_periods
from stages.monitor.analysis.word_sample import Span, sample_comments
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.schema.index_settings import WordsSettings
from stages.monitor.schema.line import Line
from tests.helpers.stormy_comments import LABELS, STORM, comments

SETTINGS = WordsSettings(examples=2)


def words_of(stormy_shard: Path, line: Line, texts: Sequence[tuple[str, str]] | None = None) -> Words:
    periods = outlier_periods(line, "day", 3)
    spans = [Span(np.datetime64(p.start), np.datetime64(p.start) + 1) for p in periods]
    sample = sample_comments([stormy_shard], LABELS, "UTC", spans, line.removed.comments)
    rows = [(c[0], c[4]) for c in comments()] if texts is None else texts
    return distinctive_words(sample, [tuple(zip(*rows, strict=True))], LABELS, periods, SETTINGS)  # type: ignore[list-item]


def test_words_of_all_time_are_of_the_emotion_and_those_of_a_day_explain_why_it_stands_out(
    stormy_shard: Path, stormy_line: Line
) -> None:
    words = words_of(stormy_shard, stormy_line)
    (day,) = words.periods
    assert {word.text for word in words.of(None, "anger", "emotions")} >= {"짜증", "awful", "😡"}
    assert {word.text for word in words.of(None, "joy", "emotions")} >= {"최고", "😀"}
    news = [word.text for word in words.of(day, "anger", "times")]
    assert set(news[:2]) == {"폭풍", "blackout"}
    assert "짜증" not in news  # said on every day alike


def test_a_word_counts_once_an_author_and_few_authors_make_none(stormy_shard: Path, stormy_line: Line) -> None:
    words = words_of(stormy_shard, stormy_line)
    found = {word.text for words_of_label in words.lists for word in words_of_label.words}
    assert not {"conspiracy", "김철수"} & found
    storm = next(word for word in words.of(words.periods[0], "anger", "times") if word.text == "폭풍")
    assert storm.n == sum(c[1] == STORM and "폭풍" in c[4] for c in comments())


def test_a_text_that_changed_since_it_was_classified_is_left_out(stormy_shard: Path, stormy_line: Line) -> None:
    words = words_of(stormy_shard, stormy_line, [(c[0], f"{c[4]} edited") for c in comments()])
    assert words.read == 0
    assert words.lists == ()


def test_examples_are_of_different_texts_and_only_where_the_plan_allows_them(
    stormy_shard: Path, stormy_line: Line
) -> None:
    words = words_of(stormy_shard, stormy_line)
    shown = words.examples[0, "anger"]
    assert all("폭풍" in text for text in shown)
    assert 1 <= len(shown) <= 2
    assert WordsSettings().examples == 0


def test_the_page_shows_words_as_text_with_their_limits(stormy_shard: Path, stormy_line: Line, tmp_path: Path) -> None:
    words = words_of(stormy_shard, stormy_line)
    evil = OutlierPeriod("day", date(2024, 1, 21), "anger", 0.8, 0.25, 9.0)
    lists = [replace(t, period=evil, words=(replace(t.words[0], text="<i>"),)) for t in words.lists if t.period]
    shown = replace(words, periods=(evil,), lists=tuple(lists), examples={(0, "anger"): ("<u>look</u>",)})
    write_page(stormy_line, [], {}, tmp_path / "p.html", context=Context(words=shown))
    page = (tmp_path / "p.html").read_text("utf-8")
    for text in (
        "&lt;i&gt;",
        "&lt;u&gt;look",
        "anger 80 %, about 25 % around it",
        "Monroe, Colaresi and Quinn",
        "조사가",
    ):
        assert text in page, text
