"""Given values are moved to the nearest point of a space."""

from typing import Any

from studies.space.dimensions import Choices, Dimension, Fixed, Range, Space, ordered
from studies.space.suggest import nearest


def test_the_published_recipe_moves_into_a_space_with_conditions() -> None:
    space: Space = {
        "dropout": Range(low=0.2, high=0.3, when={"class_weighting": ["none"], "epochs": [3]}),
        "layer_decay": Range(low=0.7, high=0.8, when={"class_weighting": ["balanced"]}),
        "class_weighting": Choices(choices=["none", "balanced"]),
        "epochs": Fixed(value=3, when={"class_weighting": ["none"]}),
    }
    assert ordered(space) == ["class_weighting", "layer_decay", "epochs", "dropout"]
    published: dict[str, Any] = {"dropout": 0.1, "layer_decay": 1.0, "epochs": 5}
    assert nearest({**published, "class_weighting": "none"}, space) == {"dropout": 0.2, "class_weighting": "none"}
    assert nearest({**published, "class_weighting": "balanced"}, space) == {
        "layer_decay": 0.8,
        "class_weighting": "balanced",
    }


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
