"""The names under which a trial's weights and answers are kept."""

import re

import pytest

from studies.trials.model_record import answers_name, model_name


@pytest.mark.parametrize(
    ("candidate", "name"),
    [
        ("klue/bert-base", "search/klue-bert-base/trial-7"),
        ("./models/내 모델/", "search/models-내-모델/trial-7"),
        ("../../etc", "search/etc/trial-7"),
    ],
)
def test_a_models_name_is_readable_and_leads_nowhere_else(candidate: str, name: str) -> None:
    assert model_name("search", candidate, 7) == name


def test_answers_have_a_name_for_each_study_and_trial_whatever_the_study_is_called() -> None:
    names = {answers_name(study, trial) for study in ("p · further · a/b", "p · further · a/c") for trial in (0, 1)}
    assert len(names) == 4
    assert all(re.fullmatch(r"answers/[0-9a-f]{16}/trial-000[01]", name) for name in names)
