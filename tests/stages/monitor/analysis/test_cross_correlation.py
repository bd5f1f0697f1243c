"""Correlations of the index with other series, at lags, with intervals."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stages.monitor.analysis.cross_correlation import correlate, correlations, read_other
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.schema.index_settings import OtherSeries
from tests.helpers.made_up_lines import line_of, noise
from transfer.errors import UserError

SALES = OtherSeries(path="sales.csv", name="sales", lags=3)


def months(values: Iterable[float]) -> dict[date, float]:
    return {date(2020 + i // 12, 1 + i % 12, 1): float(v) for i, v in enumerate(values)}


def test_a_series_that_follows_the_index_two_months_later_shows_at_lag_two() -> None:
    mood = 50 + 5 * noise(60, 4)
    later = np.concatenate([noise(2, 5), (mood[:-2] - 50) / 5]) + 0.3 * noise(60, 6)
    found = correlate(line_of(mood.tolist(), "month"), SALES, months(later), seed=13)
    strongest = max(found.drawn, key=lambda c: abs(c.r))
    assert strongest.lag == 2
    assert strongest.low > 0.7
    now = next(c for c in found.drawn if c.lag == 0)
    assert now.low < 0 < now.high


def test_a_line_shorter_than_a_lag_has_no_correlation_at_it() -> None:
    short = np.array([1.0, 3.0, 2.0])
    assert correlations(short, short, range(-6, 7), seed=0) == ()


def test_intervals_of_correlations_cover_the_truth_about_as_often_as_they_should() -> None:
    """Series that remember a third of the last month, with a correlation of 0.6."""
    covered, rng = 0, np.random.default_rng(7)
    for _ in range(150):
        one, other = np.zeros(80), np.zeros(80)
        for t in range(1, 80):
            common = rng.normal()
            one[t] = 0.33 * one[t - 1] + np.sqrt(0.6) * common + np.sqrt(0.4) * rng.normal()
            other[t] = 0.33 * other[t - 1] + np.sqrt(0.6) * common + np.sqrt(0.4) * rng.normal()
        settings = SALES.model_copy(update={"lags": 0})
        (found,) = correlate(line_of((50 + 5 * one).tolist(), "month"), settings, months(other), seed=1).drawn
        covered += found.low <= 0.6 <= found.high
    assert 0.87 <= covered / 150 <= 0.99


def test_two_drifting_series_correlate_in_level_and_not_in_their_changes() -> None:
    drift = np.linspace(30, 70, 60)
    found = correlate(line_of((drift + noise(60, 8)).tolist(), "month"), SALES, months(drift + noise(60, 9)), 13)
    assert next(c for c in found.drawn if c.lag == 0).r > 0.9
    step = next(c for c in found.steps if c.lag == 0)
    assert step.low < 0 < step.high


def test_too_few_pairs_give_no_correlation() -> None:
    assert correlate(line_of((50 + noise(10, 1)).tolist(), "month"), SALES, months(noise(10, 2)), 13).drawn == ()


def test_a_csv_is_averaged_over_periods_and_its_empty_cells_left_out(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("date,value\n2024-03-01,2\n2024-03-20T10:00:00,4\n2024-04,\n2024-05,7\n")
    assert read_other(SALES, tmp_path, "index.series[0]") == {date(2024, 3, 1): 3.0, date(2024, 5, 1): 7.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,value\n2024-03-01,2\n", r"index.series\[0\]: no column 'date'"),
        ("date,value\n2024-13-01,2\n", "line 2: '2024-13-01' is no time"),
        ("date,value\n2024-03-01,two\n", "line 2: 'two' is no number"),
        (None, "cannot read"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_by_place(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "sales.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        read_other(SALES, tmp_path, "index.series[0]")


def test_the_page_shows_changes_and_other_series_with_their_limits(tmp_path: Path) -> None:
    pytest.importorskip("ruptures")
    mood = np.concatenate([45 + noise(30, 1), 60 + noise(30, 2)])
    line = line_of(mood.tolist(), "month")
    other = correlate(line, SALES.model_copy(update={"name": "sales <b>"}), months(mood + noise(60, 3)), 13)
    write_page(line, [], {}, tmp_path / "p.html", context=Context(others=[other]))
    page = (tmp_path / "p.html").read_text("utf-8")
    assert re.search(r"2022-07-01: 4[45]\.\d → (59|60)\.\d", page)
    assert '"changes":["2022-07-01"]' in page
    assert "sales &lt;b&gt;" in page
    assert "Series that both drift correlate without cause" in page
    assert "Were each weight off by up to a quarter of the largest" in page
