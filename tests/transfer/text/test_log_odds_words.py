"""Words of a label's cloud are its own, in any script; rare ones, links and mentions stay out."""

import numpy as np

from transfer.text.log_odds_words import distinctive_words

# the rare name stands in five texts of twenty-four
TEXTS = ["정말 화가 난다 @user", "정말 기쁘다 좋다 http", "정말 화가 나요 김철수", "정말 기쁘다 좋아 기쁘다"] * 6
TEXTS[2] = "정말 화가 나요"
LABELS = np.array([0, 1, 0, 1] * 6)


def test_words_that_everyone_uses_tell_nothing() -> None:
    angry, happy = distinctive_words(TEXTS, LABELS, 2)
    assert next(iter(angry)) == "화가"
    assert next(iter(happy)) == "기쁘다"
    assert "정말" not in happy
    assert not {"user", "http"} & {*angry, *happy}
    assert all(strength > 0 for words in (angry, happy) for strength in words.values())


def test_a_word_of_few_texts_is_left_out() -> None:
    rare = distinctive_words(TEXTS, LABELS, 2, fewest=6)[0]
    assert "김철수" not in rare
    assert "김철수" in distinctive_words(TEXTS, LABELS, 2, fewest=5)[0]


def test_the_strongest_come_first_and_no_more_than_asked_for() -> None:
    (words, _) = distinctive_words(TEXTS, LABELS, 2, most=2)
    assert len(words) == 2
    assert list(words.values()) == sorted(words.values(), reverse=True)


def test_a_label_without_texts_has_no_words() -> None:
    assert distinctive_words(TEXTS, LABELS, 3)[2] == {}
    assert distinctive_words(["so angry lol"] * 60, np.zeros(60, dtype=np.int64), 2)[1] == {}


def test_texts_without_words_have_no_words() -> None:
    assert distinctive_words(["1 2", "!!"], np.array([0, 1]), 2) == [{}, {}]
