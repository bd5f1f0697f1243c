"""The ensemble's result, as 0.1.0 stored it."""

import json

import pytest

from stages.results.ensemble_result import EnsembleResult
from tests.helpers.stored_results import ADDED, stored


def test_a_result_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    before = stored("ensemble")
    after = json.loads(json.dumps(EnsembleResult.model_validate(before).as_json()))
    assert {name: value for name, value in after.items() if name not in ADDED} == before
    assert EnsembleResult.model_validate(after) == EnsembleResult.model_validate(before)


def test_an_ensemble_of_a_run_without_fitted_combinations_is_read() -> None:
    optional = {"mixture", "values", "combinations", "alone", "diversity", "gain", "gain_on_validation", "judged"}
    early = {name: value for name, value in stored("ensemble").items() if name not in optional}
    early["validation"] = {"mean": {"accuracy": 0.9, "macro_f1": 0.8}}
    result = EnsembleResult.model_validate(early)
    assert result.mixture.as_dict() == {"how": "mean"}
    assert (result.alone, result.gain, result.judged) == (None, {}, {})


def test_a_misspelt_key_is_found() -> None:
    with pytest.raises(ValueError, match="best_singel"):
        EnsembleResult.model_validate({**stored("ensemble"), "best_singel": "a"})
