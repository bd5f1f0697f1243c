"""Changes of the index's level, and none where there is only noise."""

from dataclasses import replace
from datetime import date

import pytest

from stages.monitor.analysis.change_points import change_points
from tests.helpers.made_up_lines import line_of, noise


def test_a_step_of_the_index_is_found_where_it_is_and_with_its_size() -> None:
    pytest.importorskip("ruptures")
    index = [*(50 + 2 * noise(60, 1)), *(58 + 2 * noise(60, 2))]
    (change,) = change_points(line_of(index), "day")
    assert abs((change.start - date(2020, 3, 1)).days) <= 2
    assert change.before == pytest.approx(50, abs=1)
    assert change.after == pytest.approx(58, abs=1)


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_and_a_spike_are_no_change_of_level(seed: int) -> None:
    index = 50 + 2 * noise(150, 10 + seed)
    index[70] += 10
    assert change_points(line_of(index.tolist()), "day") == []


def test_gaps_and_short_lines_make_no_change() -> None:
    index: list[float | None] = list(50 + noise(60, 3))
    index[20:25] = [None] * 5
    assert change_points(line_of(index), "day") == []
    assert change_points(line_of([40.0] * 5 + [60.0] * 5), "day") == []


def test_a_first_period_that_is_not_whole_counts_to_no_level() -> None:
    pytest.importorskip("ruptures")
    line = line_of([58.0, *(50 + noise(30, 1)), *(60 + noise(30, 2))], "month")
    (whole,) = change_points(line, "month")
    (partial,) = change_points(replace(line, first=date(2020, 1, 20)), "month")
    assert whole.start == partial.start == date(2022, 8, 1)
    assert whole.before > partial.before + 0.2
