"""What cannot be searched is reported, all of it at once."""

import pytest

from studies.space.dimensions import (
    Choices,
    Fixed,
    Range,
    Space,
)
from tests.helpers.space_problems import problems_in


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (
            {"learning_rat": 1e-4},
            "learning_rat: no parameter 'learning_rat'\n  did you mean 'learning_rate'? ",
        ),
        ({"learning_rate": Range(low=0.0, high=1e-3)}, "learning_rate: learning_rate takes numbers from 1e-08 to 1"),
        ({"epochs": Choices(choices=[1, 2.5])}, "epochs takes whole numbers from 1 to 1000, got 2.5"),
        ({"epochs": 2.5}, "epochs takes whole numbers from 1 to 1000, got 2.5"),
        ({"epochs": Range(low=1, high=4, step=1.5)}, "epochs takes whole numbers from 1 to 1000, got 2.5"),
        ({"epochs": Choices(choices=[1, "2"])}, "epochs takes whole numbers from 1 to 1000, got '2'"),
        ({"learning_rate": "1e-4"}, "learning_rate takes numbers from 1e-08 to 1, got '1e-4'"),
        ({"class_weighting": "balance"}, "class_weighting has no value 'balance'"),
        ({"class_weighting": Choices(choices=["none", True])}, "class_weighting has no value True"),
        ({"class_weighting": Range(low=0, high=1)}, "class_weighting takes choices"),
        ({"dropout": True}, "dropout takes numbers"),
        ({"pseudo_share": 0.5}, "'pseudo_share' belongs to stage two: set it in further.space"),
        ({"max_length": Choices(choices=[64], when={"epochs": [2]})}, "max_length is needed in every trial"),
        (
            {"dropout": Fixed(value=0.2, when={"epoch": [2]})},
            "dropout.when.epoch: no parameter 'epoch'\n  did",
        ),
        (
            {"dropout": Fixed(value=0.2, when={"epochs": [9]})},
            "dropout.when.epochs: epochs is never 9 in this plan",
        ),
        ({"dropout": Fixed(value=0.2, when={"epochs": [2.5]})}, "epochs is never 2.5"),
        ({"dropout": Fixed(value=0.2, when={"layer_decay": [1]})}, "layer_decay is a range without steps"),
        (
            {"batch_size": 8, "dropout": Fixed(value=0.2, when={"batch_size": [16]})},
            "batch_size is never 16 in this plan: it is fixed at 8",
        ),
        (
            {
                "dropout": Range(low=0.0, high=0.2, step=0.1, when={"weight_decay": [0]}),
                "weight_decay": Choices(choices=[0, 0.1], when={"dropout": [0.1]}),
            },
            "dropout.when: the conditions go in a circle: weight_decay, dropout wait",
        ),
        (
            {"dropout": Fixed(value=0.2, when={"dropout": [0.2]})},
            "dropout.when: the conditions go in a circle: dropout",
        ),
    ],
)
def test_what_cannot_be_searched_is_reported(space: Space, words: str) -> None:
    assert [words in text for text in problems_in(space)] == [True]


def test_all_mistakes_of_a_space_are_reported_at_once_each_at_its_place() -> None:
    space: Space = {"a": 1, "epochs": 0, "dropout": Fixed(value=2, when={"b": [1]}), "batch_size": 8}
    assert [text.split(":")[0] for text in problems_in(space)] == ["a", "epochs", "dropout"]
