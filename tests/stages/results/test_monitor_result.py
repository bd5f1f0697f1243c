"""A line as 0.1.0 stored it is read, and comes out as it went in."""

from typing import Any

import pytest
from pydantic import ValidationError

from stages.results.monitor_result import MonitorResult

JOY = {"value": 0.4, "low": 0.36, "high": 0.46}
ANGER = {"value": 0.6, "low": 0.54, "high": 0.64}
INDEX = {"value": 40.0, "low": 35.9, "high": 45.8}
FIGURES = {"shares": {"anger": ANGER, "joy": JOY}, "index": INDEX}
DAY = {"every": "day", "period": "day", "start": "2024-03-01", "n": 60, "clusters": 20, "is_whole": True, **FIGURES}
GAP = DAY | {"start": "2024-03-02", "n": 3, "shares": {"anger": None, "joy": None}, "index": None}
CORRELATION = {"lag": 1, "r": 0.3, "low": -0.1, "high": 0.6, "n": 40}
BACKTEST = {
    "origins": 20,
    "pairs": 40,
    "coverage": 0.95,
    "low": 0.9,
    "high": 1.0,
    "near": 1.0,
    "far": 0.9,
    "error": 1.5,
}
OUTLIER = {"every": "day", "start": "2024-03-01", "label": "anger", "share": 0.5, "usual": 0.3, "score": 4.7}
WORD = {"text": "angry", "n": 20, "z": 3.4}
STORED: dict[str, Any] = {
    "undated": 2,
    "periods": [DAY, GAP],
    "prevalence": {
        "drawn": "raw",
        "why": "Drawn as counted, not corrected: index.prevalence: pacc needs gold, and the plan has none.",
        "methods": ["raw", "means"],
        "judged_on": None,
        "judged": {"anger": 0, "joy": 0},
    },
    "removed": {"rows": {"author cap": 4}, "counts": {"anger": 4, "joy": 0}},
    "overall": {"name": "all", "n": 63, "clusters": 20, "methods": {"raw": FIGURES, "means": FIGURES}},
    "sources": [{"name": "video 0", "n": 32, "clusters": 8, "methods": {}, "periods": [GAP]}],
    "changes": {"day": [{"start": "2024-03-01", "before": 45.0, "after": 40.0}], "month": []},
    "sensitivity": {"every": "day", "points": 7.6, "correlation": 0.97, "same_way": 0.7},
    "series": [{"name": "sales", "drawn": [CORRELATION], "raw": [CORRELATION], "steps": []}],
    "events": [{"day": "2024-03-01", "text": "snow"}],
    "forecast": [
        {"every": "day", "why": "No forecast: the index stands still.", "periods": None, "backtest": None},
        {
            "every": "month",
            "why": None,
            "periods": [{"start": "2024-04-01", "value": 50.0, "low": 40.0, "high": 60.0}],
            "backtest": BACKTEST | {"naive": 2.0, "seasonal": None},
        },
    ],
    "words": {
        "read": 60,
        "standing": [OUTLIER],
        "told": [{"every": None, "start": None, "label": "anger", "against": "emotions", "words": [WORD]}],
    },
    "extent": {},
    "fingerprint": "8c0be8f95681b9def4a384773feb37a8",
}


def test_a_line_of_the_first_version_is_read_and_written_the_same() -> None:
    assert MonitorResult.model_validate(STORED).as_json() == STORED | {"schema_version": 1, "stopped": None}


def test_a_corrected_line_has_raw_figures_too_and_null_in_gaps() -> None:
    corrected = [DAY | {"raw": FIGURES}, GAP | {"raw": None}]
    assert MonitorResult.model_validate(STORED | {"periods": corrected}).as_json()["periods"] == corrected


def test_paths_are_in_json_where_they_are_known_and_a_misspelt_key_is_refused() -> None:
    found = MonitorResult.model_validate(STORED).model_copy(update={"page": "/results/index.html"}).as_json()
    assert found["page"] == "/results/index.html"
    assert "csv" not in found
    with pytest.raises(ValidationError, match="pages"):
        MonitorResult.model_validate(STORED | {"pages": 1})
