"""A label and its probability are read from an answer, or nothing is."""

import pytest

from transfer.labellers.server.answer_parsing import Alternatives, distribution, read_label, spellings

LABELS = ("anger", "sadness", "neutral", "happiness")

SPELLED = spellings(LABELS, LABELS)


@pytest.mark.parametrize(
    ("answer", "label"),
    [("anger", 0), (" **Anger**.\n", 0), ('"SADNESS"', 1), ("neutral!", 2), ("“happiness”", 3), ("Happiness 😊", 3)],
)
def test_a_label_is_read_word_for_word(answer: str, label: int) -> None:
    assert read_label(answer, SPELLED) == label


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "…",
        "anger or sadness",
        "anger, sadness",
        "The emotion is anger.",
        "I'm sorry, I can't",
        '{"emotion":',
        "joy",
    ],
)
def test_a_sentence_or_two_labels_is_no_label(answer: str) -> None:
    assert read_label(answer, SPELLED) is None


def test_a_korean_name_and_the_label_behind_it_both_count() -> None:
    spelled = spellings(("anger", "joy"), ("분노", "기쁨"))
    assert [read_label(answer, spelled) for answer in ("분노.", "Joy", "슬픔")] == [0, 1, None]


def listed(*tokens: tuple[str, float]) -> list[Alternatives]:
    return [Alternatives("\n", (("\n", -0.1),)), Alternatives(tokens[0][0], tokens)]


def test_tokens_that_begin_one_label_make_its_probability() -> None:
    found = distribution(
        listed(("anger", -0.5), (" Ang", -2.0), ("sad", -2.0), ("neutral", -3.0), ("hap", -4.0)), SPELLED
    )
    assert found is not None
    assert sum(found) == pytest.approx(1)
    assert found[0] / found[1] == pytest.approx((2.718281828**-0.5 + 2.718281828**-2) / 2.718281828**-2)
    assert found.index(min(found)) == 3


def test_a_label_that_was_not_listed_is_less_likely_than_any_that_was() -> None:
    found = distribution(listed(("anger", -0.1), ("sad", -3.0), ("Well", -6.0)), SPELLED)
    assert found is not None
    assert 0 < found[2] == found[3] < found[1]


@pytest.mark.parametrize(
    "tokens",
    [
        [("anger", -0.1)],  # only the chosen one
        [("I", -0.1), ("The", -3.0)],  # no label
        [("sur", -0.1), ("anger", -3.0)],  # of surprise and surfeit
        [("분\ufffd", -0.1), ("anger", -3.0)],  # a part of a character
    ],
)
def test_what_cannot_be_told_from_the_tokens_stays_unknown(tokens: list[tuple[str, float]]) -> None:
    labels = ("anger", "surprise", "surfeit", "분노")
    assert distribution(listed(*tokens), spellings(labels, labels)) is None


def test_a_faint_ambiguous_token_does_not_hide_a_clear_answer() -> None:
    labels = ("anger", "surprise", "surfeit")
    found = distribution(listed(("surprise", -0.1), ("anger", -3.0), ("sur", -9.0)), spellings(labels, labels))
    assert found is not None
    assert found.index(max(found)) == 1
