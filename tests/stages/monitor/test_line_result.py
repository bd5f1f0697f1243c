"""The result that `--json` holds, from the line."""

import json

from stages.monitor.analysis.forecast import forecasts
from stages.monitor.line_result import line_result
from stages.monitor.report.page_context import Context
from stages.monitor.schema.line import Line
from stages.results.monitor_result import MonitorResult
from tests.helpers.made_up_lines import line_of


def test_json_has_numbers_and_null_in_gaps(line: Line) -> None:
    items = json.loads(json.dumps(line_result(line).as_json()["periods"], allow_nan=False))
    days = {item["start"]: item for item in items if item["every"] == "day"}
    assert set(days["2024-01-05"]) >= {"every", "period", "start", "n", "shares", "index"}
    assert set(days["2024-01-05"]["shares"]["기쁨"]) == {"value", "low", "high"}
    assert isinstance(days["2024-01-05"]["index"]["low"], float)
    assert days["2024-01-09"]["n"] == 0
    assert days["2024-01-09"]["shares"] == dict.fromkeys(line.labels)
    assert days["2024-01-09"]["index"] is None


def test_a_line_becomes_the_result_that_json_holds() -> None:
    line = line_of([50.0, 51.0, None])
    result = line_result(line, Context(forecasts=forecasts(line)))
    assert MonitorResult.model_validate(json.loads(json.dumps(result.as_json(), allow_nan=False))) == result
    assert [period.index and period.index.value for period in result.periods] == [50.0, 51.0, None]
    assert result.prevalence.why.startswith("Drawn as counted, not corrected: index.prevalence: pacc needs gold")
    assert result.forecast[0].why == (
        "No forecast by day: 2 days are drawn, and 73 are needed: 40 to fit on, and 20 more from which 14 ahead can be "
        "checked."
    )


def test_json_sums_up_all_methods_and_sources(corrected: Line) -> None:
    totals = line_result(corrected).as_json()
    assert set(totals["overall"]["methods"]) == {"raw", "means", "acc", "pacc", "em", "ppi"}
    counts = [source["n"] for source in totals["sources"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == totals["overall"]["n"] == corrected.n
    assert totals["prevalence"]["drawn"] == "pacc"
