"""Days whose shares stand out from those around them."""

from datetime import date

from stages.monitor.analysis.outlier_periods import outlier_periods
from stages.monitor.schema.line import Line
from tests.helpers.stormy_comments import STORM


def test_the_day_that_stands_out_is_found_with_what_rose_in_it(stormy_line: Line) -> None:
    (day,) = outlier_periods(stormy_line, "day", 3)
    assert (day.start, day.label) == (date(2024, 1, 1 + STORM), "anger")
    assert day.share > 0.7
    assert day.usual < 0.35
    assert outlier_periods(stormy_line, "day", 0) == []
