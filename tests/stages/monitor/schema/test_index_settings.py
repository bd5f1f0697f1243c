import pytest
from pydantic import ValidationError

from stages.monitor.schema.index_settings import IndexSettings, weight_problems


def test_a_misspelt_time_zone_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(ValidationError, match=r"'Asia/Soul'.*did you mean 'Asia/Seoul'"):
        IndexSettings(timezone="Asia/Soul")


def test_lengths_of_period_stand_from_short_to_long_and_once_each() -> None:
    assert IndexSettings(every=["month", "day"]).every == ["day", "month"]
    with pytest.raises(ValidationError, match="once"):
        IndexSettings(every=["day", "day"])


def test_each_mistake_in_the_weights_is_reported() -> None:
    settings = IndexSettings(weights={"joy": 0.0, "angr": 0.0})
    messages = [str(problem) for problem in weight_problems(settings, ["joy", "anger"])]
    assert len(messages) == 3
    assert "index.weights: no label 'angr'" in messages[0]
    assert "did you mean 'anger'?" in messages[0]
    assert "no weight for 'anger'" in messages[1]
    assert "all weights are 0" in messages[2]


def test_no_weights_are_no_problem() -> None:
    assert weight_problems(IndexSettings(), ["joy"]) == []
