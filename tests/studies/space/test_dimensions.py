import pytest
from pydantic import TypeAdapter, ValidationError

from studies.space.defaults import default_mixing, default_space
from studies.space.dimensions import (
    Choices,
    Dimension,
    DimensionField,
    Fixed,
    Range,
    Space,
    most_epochs,
    plain_space,
)
from studies.space.space_validation import space_problems


def told(space: Space, *, mixes: bool = False) -> list[str]:
    """Problems as "place: text"."""
    whole = {**default_space(12), **(default_mixing() if mixes else {}), **space}
    return [f"{'.'.join(place)}: {text}" for place, text in space_problems(space, whole, mixes=mixes)]


def test_the_default_spaces_are_valid_at_any_depth() -> None:
    for layers in (1, 2, 12, 24):
        assert told(default_space(layers)) == []
        assert told({**default_space(layers), **default_mixing()}, mixes=True) == []


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
def test_what_cannot_be_searched_is_told(space: Space, words: str) -> None:
    assert [words in text for text in told(space)] == [True]


def test_all_mistakes_of_a_space_are_told_at_once_each_at_its_place() -> None:
    space: Space = {"a": 1, "epochs": 0, "dropout": Fixed(value=2, when={"b": [1]}), "batch_size": 8}
    assert [text.split(":")[0] for text in told(space)] == ["a", "epochs", "dropout"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"low": 2, "high": 1}, "low 2 lies above high 1; swap them"),
        ({"low": 0, "high": 1, "log": True}, "log needs low above 0"),
        ({"low": 0, "high": 1, "step": 0}, "step must be above 0"),
        ({"low": 1, "high": 5, "step": 6}, "step 6 leads from low 1 beyond high 5"),
        ({"low": 1, "high": 6, "step": 2}, "high 6 is no whole number of steps from low; the last one is 5"),
        ({"low": "1e-5", "high": 1e-3}, "a number is needed, without quotes, got '1e-5'"),
        ({"low": True, "high": 2}, "a number is needed, got True"),
        ({"low": float("nan"), "high": 2}, "a number is needed, got nan"),
        ({"low": 1, "high": float("inf")}, "a number is needed, got inf"),
        ({"low": 1}, "Field required"),
        ({"choices": []}, "at least 1 item"),
        ({"choices": [16, 32, 16.0]}, "each choice stands once, got 16.0 more often"),
        ({"choices": [16, None]}, "a number or a name is needed, got None"),
        ({"choices": 16}, "valid list"),
        ({"value": 16}, "Field required"),
        ({"choices": [1, 2], "when": {"epochs": []}}, "at least 1 item"),
        ([1, 2], r"a list of values is written {choices: \[...\]}"),
        (None, "a number or a name is needed, got None"),
        (float("inf"), "a number or a name is needed, got inf"),
    ],
)
def test_a_dimension_that_is_none_is_refused_once(wrong: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        TypeAdapter(DimensionField).validate_python(wrong)
    assert caught.value.error_count() == 1


def test_steps_are_counted_in_decimals() -> None:
    assert Range(low=0.0, high=0.3, step=0.1).high == 0.3


def test_a_space_comes_back_from_json_as_it_was() -> None:
    import json

    space: Space = {
        **default_space(12),
        "dropout": Fixed(value=0.2, when={"epochs": [2, 3]}),
        "weight_decay": Choices(choices=[0, 0.1], when={"epochs": [2]}),
        "max_length": 64,
    }
    back = json.loads(json.dumps(plain_space(space)))
    assert {name: TypeAdapter(DimensionField).validate_python(value) for name, value in back.items()} == space


@pytest.mark.parametrize(
    ("epochs", "most"), [(4, 4), (Range(low=2, high=5), 5), (Choices(choices=[1, 7, 2]), 7), (None, 3)]
)
def test_the_most_epochs_of_a_space_are_known(epochs: Dimension | None, most: int) -> None:
    assert most_epochs({} if epochs is None else {"epochs": epochs}, 3) == most
