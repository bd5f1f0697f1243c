"""What `--json` prints of a result: the keys that 0.1.0 printed, and not what the store alone needs."""

import json
from pathlib import Path

from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import EnsembleResult
from stages.results.study_results import SearchResult
from tests.stages.results.test_search_result import STORED

FOLDER = Path(__file__).parent / "stored_by_0_1_0"


def test_the_version_and_an_empty_stop_are_stored_and_not_printed() -> None:
    stored = json.loads((FOLDER / "ensemble.json").read_text(encoding="utf-8"))
    result = EnsembleResult.model_validate(stored)
    assert set(result.as_json()) == {*stored, "schema_version", "stopped"}
    assert set(result.printed()) == set(stored)


def test_a_search_prints_whether_its_time_limit_stopped_it() -> None:
    result = SearchResult.model_validate(STORED)
    assert set(result.printed()) == set(STORED)
    assert result.printed()["stopped"] is None


def test_a_result_within_another_is_printed_as_by_itself() -> None:
    ensemble, distil = (
        json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in ("ensemble", "distil")
    )
    distilled = DistilResult.model_validate(distil)
    both = EnsembleResult.model_validate(ensemble).model_copy(update={"distilled": distilled})
    assert both.printed()["distilled"] == distilled.printed()
    assert set(distilled.printed()) == set(distil)
