import pytest
from pydantic import TypeAdapter, ValidationError

from studies.space.defaults import default_space
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
