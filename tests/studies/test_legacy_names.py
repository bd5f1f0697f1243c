"""Identities are computed from the names that 0.1.0 gave."""

import pytest

from studies.legacy_names import legacy_model_name, legacy_study_name


@pytest.mark.parametrize(
    ("name", "lasting"),
    [
        ("plan · search · klue/bert", "plan · basic · klue/bert"),
        ("plan · search · klue/bert · fresh seeds", "plan · basic · klue/bert · fresh seeds"),
        ("a · search · b · search · c", "a · search · b · basic · c"),
        ("a · search · b · further · c", "a · search · b · further · c"),
        ("plan · distil · klue/bert · 12ab", "plan · distil · klue/bert · 12ab"),
        ("search", "search"),
    ],
)
def test_a_studys_lasting_name(name: str, lasting: str) -> None:
    assert legacy_study_name(name) == lasting


def test_a_models_lasting_name() -> None:
    assert legacy_model_name("search/klue-bert/trial-7") == "basic/klue-bert/trial-7"
    assert legacy_model_name("further/search/trial-7") == "further/search/trial-7"
