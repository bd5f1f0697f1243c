"""Examples sampled at random, diverse, or nearest to a comment."""

from itertools import pairwise

import pytest

from transfer.labellers.few_shot_examples import Example, FixedExamples, SampledExamples
from transfer.labellers.few_shot_selection import sample_examples
from transfer.labellers.prompt import PromptSettings, render

LABELS = ("anger", "sadness", "happiness")

ROWS = [Example(text=f"row {i} {'abcdefgh'[i % 8] * 3}", label=LABELS[i % 3]) for i in range(90)]


def drawn(rows: list[Example], seed: int = 13, **how: object) -> tuple[Example, ...]:
    return sample_examples(SampledExamples.model_validate({"from": "gold", **how}), rows, LABELS, seed).for_texts(
        ["x"]
    )[0]


def test_a_lot_gives_so_many_of_each_label_whatever_the_rows_order() -> None:
    found = drawn(ROWS, per_label=2)
    assert [example.label for example in found] == [*LABELS, *LABELS]
    assert drawn(ROWS[::-1] + ROWS, per_label=2) == found
    assert drawn(ROWS, seed=14, per_label=2) != found
    assert len(drawn(ROWS, count=4)) == 4
    assert drawn(ROWS) == found  # two of each label where nothing else is said


def test_a_row_that_comes_later_mostly_changes_nothing() -> None:
    fewer = [drawn(ROWS[: 60 + i], per_label=2) for i in range(30)]
    assert sum(one != other for one, other in pairwise(fewer)) <= 5


def test_of_a_label_with_few_rows_all_are_shown() -> None:
    assert [example.label for example in drawn(ROWS[:4], per_label=3)] == ["anger", "sadness", "happiness", "anger"]


def test_diverse_examples_are_unlike_one_another() -> None:
    kinds = ["the train was late again", "my tooth hurts so badly", "they cancelled the whole concert"]
    rows = [Example(text=f"{kinds[i % 3]} {i}", label="anger") for i in range(60)]
    for seed in range(3):
        found = drawn(rows, seed, how="diverse", per_label=3)
        assert len({example.text.rsplit(" ", 1)[0] for example in found}) == 3
    assert drawn(rows, how="diverse", per_label=3) == drawn(rows[::-1], how="diverse", per_label=3)
    assert len(drawn(ROWS, how="diverse", count=5)) == 5


NEAR = [
    Example(text="the train was late again", label="anger"),
    Example(text="a train that is late every day", label="sadness"),
    Example(text="the concert was wonderful", label="happiness"),
    Example(text="what a wonderful evening", label="happiness"),
    Example(text="my tooth hurts", label="sadness"),
]


def test_the_nearest_examples_are_those_like_the_comment_and_the_likest_stands_last() -> None:
    two, one_each = ({"from": "gold", "how": "nearest", **n} for n in ({"count": 2}, {"per_label": 1}))
    shots = sample_examples(SampledExamples.model_validate(two), NEAR, LABELS, 1)
    trains, concerts = shots.for_texts(["the train was late", "wonderful concert, the concert was wonderful"])
    assert [example.text for example in trains] == [NEAR[1].text, NEAR[0].text]
    assert concerts[-1] == NEAR[2]
    each = sample_examples(SampledExamples.model_validate(one_each), NEAR, LABELS, 1)
    assert {example.label for example in each.for_texts(["the train was late"])[0]} == set(LABELS)


@pytest.mark.parametrize("how", ["nearest", "fixed", "diverse"])
def test_a_comment_is_never_its_own_example(how: str) -> None:
    settings = SampledExamples.model_validate({"from": "gold", "how": how, "count": 5})
    found = sample_examples(settings, NEAR, LABELS, 1).for_texts(["The TRAIN was late again"])[0]
    assert NEAR[0] not in found
    assert len(found) == 4
    assert FixedExamples(NEAR).for_texts([NEAR[2].text])[0] == (*NEAR[:2], *NEAR[3:])
    message = render(PromptSettings(examples=tuple(NEAR)), LABELS, NEAR[0].text)
    assert message.count(NEAR[0].text) == 1


def test_only_what_changes_by_comment_is_a_fact_of_its_own() -> None:
    nearest = SampledExamples.model_validate({"from": "original", "how": "nearest"})
    one, other = (sample_examples(nearest, rows, LABELS, 1).metadata for rows in (NEAR, NEAR[:4]))
    assert one != other
    assert sample_examples(nearest, NEAR[::-1], LABELS, 1).metadata == one
    assert sample_examples(SampledExamples.model_validate({"from": "original"}), NEAR, LABELS, 1).metadata == {}
