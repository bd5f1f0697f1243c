"""How figures, intervals and times are written."""

import pytest

from stages.console.tables import console, duration, ends, figure, interval, table
from stages.results.stage_result import Interval


def test_figures_have_three_decimals_and_whole_numbers_commas() -> None:
    assert [figure(value) for value in (0.12345, 12_000, 0, None)] == ["0.123", "12,000", "0", ""]


def test_an_interval_stands_behind_its_value() -> None:
    found = Interval(value=0.05, low=-0.01, high=0.11)
    assert interval(found) == "0.050 (-0.010 to 0.110)"
    assert interval(found, "+") == "+0.050 (-0.010 to +0.110)"
    assert (ends(found), ends(None)) == ("-0.010 to 0.110", "")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "1 s"), (119, "119 s"), (120, "2 minutes"), (7199, "120 minutes"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_times_are_rounded_to_one_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_text_is_taken_literally(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("name", "rows")
    made.add_row("[bold]a[/bold]", "1")
    console().print(made)
    assert "[bold]a[/bold]" in capsys.readouterr().out
