"""Names at the end of lines stand apart, in the order of the lines."""

import pytest

from stages.monitor.report.png_panels import _apart


@pytest.mark.parametrize(
    ("heights", "placed"),
    [
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]),
        ([0.5, 0.5, 0.1], [0.5, 0.6, 0.1]),
        ([0.95, 0.98], [0.9, 1.0]),
        ([0.3], [0.3]),
    ],
)
def test_names_are_moved_as_little_as_keeps_them_apart(heights: list[float], placed: list[float]) -> None:
    assert _apart(heights, 0.1, 1.0) == pytest.approx(placed)
