"""An adaptation's results of 0.1.0 are read, and come out as they were stored."""

from typing import Any

from stages.results.adapt_result import AdaptResult

# As 0.1.0 stored it.
STORED: dict[str, Any] = {
    "adapted": {
        "models/bert": {
            "name": "adapted/models-bert-dc56e6-4be0d0c65226",
            "steps": 12,
            "seconds": 0.1,
            "texts": 190,
            "loss": {"before": 4.619576674241286, "after": 4.3343951885516825},
        },
        "models/roberta": {
            "name": "adapted/models-roberta-cab87c-8a1e2ae5ebb7",
            "steps": 12,
            "seconds": 0.1,
            "texts": 190,
            "loss": {"before": 5.860335902163857, "after": 5.524784690455387},
        },
    },
    "superseded": [],
    "extent": {},
    "fingerprint": "06960d44bb465d575e48c025b1790a2e",
}


def test_a_result_of_0_1_0_is_read_and_printed_with_the_same_keys() -> None:
    result = AdaptResult.model_validate(STORED)
    assert result.as_json() == {**STORED, "schema_version": 1, "stopped": None}
    assert result.folders() == {encoder["name"] for encoder in STORED["adapted"].values()}


def test_what_was_adapted_before_belongs_to_it_too() -> None:
    assert "adapted/old" in AdaptResult.model_validate({**STORED, "superseded": ["adapted/old"]}).folders()
