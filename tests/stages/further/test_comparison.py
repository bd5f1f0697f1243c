"""Stage two is called better only where gold says so."""

from pathlib import Path

import pytest

from stages.further.comparison import FIRST, REPORT, SECOND
from stages.further.run_further import run_further
from tests.helpers.searched_project import opened, predictions

pytestmark = pytest.mark.usefixtures("one_thread")

CONTROLS = "small · further · models/bert · controls"


def test_stage_two_is_compared_with_stage_one_and_with_either_source_alone(further: Path) -> None:
    result = run_further(opened(further)).as_json()
    assert [row["model"] for row in result["rows"] if row["split"] == REPORT] == [
        FIRST,
        "original data only, as many steps",
        "pseudo-labels only, as many steps",
        SECOND,
    ]
    assert all(row["low"] <= row["macro_f1"] <= row["high"] for row in result["rows"] if row["split"] == REPORT)
    assert result["warnings"] == []


def test_stage_two_is_called_better_only_where_gold_shows_it(further: Path) -> None:
    result = run_further(opened(further)).as_json()
    found = result["against_stage_one"]
    assert found["than"] == FIRST
    assert found["split"] == REPORT
    assert found["difference"] > 0.2  # the comments' slang is new to stage one
    assert found["low"] > 0
    assert found["verdict"] == "better"
    assert {other["verdict"] for other in result["comparisons"] if other["split"] != REPORT} == {None}


def test_a_larger_gold_report_half_is_compared_on_without_a_new_fit(further: Path) -> None:
    run = opened(further)
    before = predictions(run, CONTROLS)
    run_further(run)
    assert predictions(run, CONTROLS) == before
