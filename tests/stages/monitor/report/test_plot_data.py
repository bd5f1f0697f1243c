"""What the page's plots are drawn from."""

import json
from typing import Any

import pytest

from stages.monitor.line_result import line_result
from stages.monitor.report.plot_data import line_data
from stages.monitor.schema.line import Line
from tests.helpers.classified_shards import WEIGHTS


def test_the_plots_get_the_bold_and_the_thin_line(corrected: Line) -> None:
    data: Any = line_data(corrected)
    month, first = data["periods"]["month"], line_result(corrected).as_json()["periods"][0]
    assert month["index"]["value"][0] == pytest.approx(first["index"]["value"], abs=1e-3)
    assert month["beside"]["index"][0] == pytest.approx(first["raw"]["index"]["value"], abs=1e-3)
    assert abs(first["index"]["value"] - first["raw"]["index"]["value"]) > 1


def test_plots_get_null_in_gaps_and_figures_in_per_cent(line: Line) -> None:
    data = json.loads(json.dumps(line_data(line)))
    day = data["periods"]["day"]
    gap = day["x"].index("2024-01-10")
    assert day["isGap"][gap]
    assert day["index"]["value"][gap] is day["shares"][0]["low"][gap] is None
    assert sum(share["value"][gap + 1] for share in day["shares"]) == pytest.approx(100, abs=0.01)
    assert data["first"] == "day"
    assert data["hasIndex"] is bool(WEIGHTS)
