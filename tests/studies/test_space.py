import pytest
from pydantic import ValidationError

from studies.space import Choices, Dimension, Range, check_space, default_mixing, default_space, nearest


def test_the_default_spaces_are_valid_at_any_depth() -> None:
    for layers in (1, 2, 12, 24):
        check_space(default_space(layers), mixes=False)
        check_space({**default_space(layers), **default_mixing()}, mixes=True)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"learning_rat": 1e-4}, "no parameter 'learning_rat'"),
        ({"learning_rate": Range(low=0.0, high=1e-3)}, "learning_rate takes numbers from 1e-08 to 1"),
        ({"epochs": Choices(choices=[1, 2.5])}, "epochs takes whole numbers from 1 to 1000, got 2.5"),
        ({"class_weighting": "balance"}, "class_weighting has no value 'balance'"),
        ({"class_weighting": Range(low=0, high=1)}, "class_weighting takes choices"),
        ({"dropout": True}, "dropout takes numbers"),
        ({"pseudo_share": 0.5}, "no parameter 'pseudo_share'"),
    ],
)
def test_what_cannot_be_searched_is_told(space: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_space(space, mixes=False)  # type: ignore[arg-type]


def test_all_mistakes_of_a_space_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"no parameter 'a'.*; epochs takes"):
        check_space({"a": 1, "epochs": 0}, mixes=False)


@pytest.mark.parametrize(
    "wrong", [{"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"low": 0, "high": 1, "step": 0}]
)
def test_a_range_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Range.model_validate(wrong)


def test_published_values_move_to_the_nearest_point_of_the_space() -> None:
    space: dict[str, Dimension] = {
        "learning_rate": Range(low=1e-4, high=1e-3),
        "batch_size": Choices(choices=[8, 16]),
        "epochs": Range(low=1, high=9, step=4),
        "class_weighting": Choices(choices=["balanced"]),
        "max_length": 64,
    }
    published = {
        "learning_rate": 3e-5,
        "batch_size": 32,
        "epochs": 3,
        "class_weighting": "none",
        "max_length": 128,
        "dropout": 0.1,
    }
    assert nearest(published, space) == {
        "learning_rate": 1e-4,
        "batch_size": 16,
        "epochs": 1,
        "class_weighting": "balanced",
    }
