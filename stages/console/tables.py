"""Tables and figures on stdout, alike in all that a person reads."""

from rich.console import Console
from rich.table import Table

from stages.results.stage_result import Interval


def figure(value: float | None) -> str:
    """Three decimals, whole numbers with commas, nothing for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def ends(found: Interval | None) -> str:
    """The ends of an interval; nothing for None."""
    return f"{found.low:.3f} to {found.high:.3f}" if found else ""


def interval(found: Interval, sign: str = "") -> str:
    """A value with its interval behind it. sign: "+" writes it also before what is positive."""
    return f"{found.value:{sign}.3f} ({found.low:{sign}.3f} to {found.high:{sign}.3f})"


def table(*columns: str) -> Table:
    """Without lines; the first column to the left, all others to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
    return made


def console() -> Console:
    """Takes all text literally."""
    return Console(highlight=False, markup=False, soft_wrap=False)


def duration(seconds: float) -> str:
    """Rounded to one unit: "3 hours"."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"
