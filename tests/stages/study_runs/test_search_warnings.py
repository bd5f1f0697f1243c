"""Settings of a study that are allowed and unlikely to be meant."""

import pytest

from stages.study_runs.study_settings import GP_TRIALS, search_warnings
from studies.space.dimensions import Range
from tests.helpers.formula_search import SPACE, a_search

CONDITIONAL = SPACE | {"dropout": Range(low=0.0, high=0.3, when={"class_weighting": ["none"]})}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sampler": "gp", "trials": GP_TRIALS + 1}, "the gp sampler is slow beyond about 300 trials, got 301"),
        ({"sampler": "gp", "space": CONDITIONAL}, "the gp sampler samples parameters with a condition"),
        ({"sampler": "qmc", "space": CONDITIONAL}, "the qmc sampler samples parameters with a condition"),
        ({"pruner": "hyperband", "trials": 2}, "hyperband"),
    ],
)
def test_a_warning_names_the_study_and_the_reason(settings: dict[str, object], words: str) -> None:
    (warning,) = search_warnings(a_search(**settings))  # type: ignore[arg-type]
    assert warning.startswith("study: ")
    assert words in warning


@pytest.mark.parametrize(
    "settings", [{}, {"space": CONDITIONAL}, {"sampler": "gp", "trials": GP_TRIALS}, {"sampler": "random"}]
)
def test_what_is_usual_has_no_warning(settings: dict[str, object]) -> None:
    assert search_warnings(a_search(**settings)) == []  # type: ignore[arg-type]
