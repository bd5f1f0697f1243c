"""A result of infer is stored and printed as JSON, and one that 0.1.0 stored is read."""

import pytest
from pydantic import ValidationError

from stages.results.infer_result import InferResult

# As 0.1.0 stored it.
STORED = {
    "rows": 24,
    "unique": 21,
    "skipped": {"empty text": 1, "broken row": 1, "broken file": 1},
    "faults": [
        {"file": "comments/a.jsonl", "line": 6, "what": "no JSON"},
        {"file": "comments/e.parquet", "line": None, "what": "no Parquet"},
    ],
    "seconds": 0.34,
    "rows_per_second": 469.1,
    "peak_rss_bytes": 736047104,
    "engine": "torch",
    "precision": "float32",
    "shards": ["shards/9d5aa528557dec28/b7f9a2b7d4091d1b-410ad3f59f12c9e9-0000000000.parquet"],
    "model": "9d5aa528557dec28",
    "predictor": "ensemble (mean of 3)",
    "extent": {"files": [["b7f9a2b7d4091d1b571a3207d1efdc1a", "410ad3f59f12c9e9efba9e10094696"]]},
    "fingerprint": "b55b4fbcfc7b981dd52f3d2a15369286",
}


def test_a_result_that_0_1_0_stored_is_read_and_says_the_same() -> None:
    result = InferResult.model_validate(STORED)
    assert (result.faults[0].line, result.faults[1].line) == (6, None)
    assert result.as_json() == {**STORED, "schema_version": 1, "stopped": None}
    assert InferResult.model_validate(result.as_json()) == result


def test_a_field_that_no_version_had_is_refused() -> None:
    with pytest.raises(ValidationError, match="row_count"):
        InferResult.model_validate({**STORED, "row_count": 24})
