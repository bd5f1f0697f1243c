"""Results that version 0.1.0 stored are read, and made to JSON with the same keys and values."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import EnsembleResult
from stages.results.stage_result import StageResult

STORED = Path(__file__).parent / "stored_by_0_1_0"
ADDED = {"schema_version", "stopped"}  # of every result since


def stored(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / f"{stage}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("result_type", [EnsembleResult, DistilResult])
def test_a_stored_result_is_read_and_written_as_it_was(result_type: type[StageResult]) -> None:
    before = stored(result_type.stage)
    after = json.loads(json.dumps(result_type.model_validate(before).as_json()))
    if result_type is DistilResult:
        assert after["winner"].pop("path") is None, "filled in when it is read"
    assert {name: value for name, value in after.items() if name not in ADDED} == before
    assert result_type.model_validate(after) == result_type.model_validate(before)


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
