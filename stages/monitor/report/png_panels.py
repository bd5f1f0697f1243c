"""The panels of the printed picture: how an index, shares and a volume are drawn on matplotlib's axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from stages.monitor.analysis.change_points import change_points
from stages.monitor.analysis.events import within
from stages.monitor.report.messages import Language, Text, index_name, message
from stages.monitor.report.page_context import NO_CONTEXT, Context
from stages.monitor.report.palette import Look, looks
from stages.monitor.schema.calendar import MIDDLE, Days
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Estimate, Line, Period, prominent

INK, GREY, PALE, BAR, MARK = "#222222", "#6B6B6B", "#D9D9D9", "#9A9A9A", "#0B5CAD"
NUMBER: dict[str, Any] = {"ha": "center", "fontsize": 8, "color": INK, "bbox": {"fc": "white", "ec": "none", "pad": 1}}
BAR_DAYS: dict[Every, int] = {"day": 1, "week": 6, "month": 27}
# year, month, day, hour, minute, second, as ConciseDateFormatter wants them
KOREAN_DATES = ["%Y년", "%m월", "%d일", "%H:%M", "%H:%M", "%S"]
KOREAN_BEGINNINGS = ["", "%Y년", "%m월", "%d일", "%H:%M", "%H:%M"]
KOREAN_OFFSETS = ["", "%Y년", "%Y년 %m월", "", "", ""]


@dataclass(frozen=True)
class View:
    """What is drawn: the periods of one length, and the language of its words."""

    line: Line
    every: Every
    periods: Sequence[Period]
    language: Language
    context: Context = NO_CONTEXT

    def worded(self, text: Text) -> str:
        """A text in the picture's language."""
        return text.in_language(self.language)

    @property
    def days(self) -> Days:
        """(P,) datetime64[D], where each period is plotted."""
        return np.array([period.start for period in self.periods], "datetime64[D]") + MIDDLE[self.every]

    @property
    def days_ahead(self) -> Days:
        """(H,) likewise, of the periods that are forecast; none where nothing is."""
        forecast = self.context.forecast(self.every)
        starts = [point.start for point in forecast.points] if forecast else []
        return np.array(starts, "datetime64[D]") + MIDDLE[self.every]


def draw_index(axis: Axes, view: View) -> None:
    """The index with its band; 50 is always within sight."""
    axis.axhline(50, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    _name_at_the_end(axis, 50, view.worded(message("picture.neutral")), GREY, fontsize=8.5)
    _draw_curve(axis, view.days, [period.index for period in view.periods], Look(INK, "solid", "solid"), width=1.6)
    _draw_thin(axis, view, None, INK)
    for change in change_points(view.line, view.every):
        axis.axvline(_day_number(change.start), color=MARK, linewidth=1, linestyle=(0, (1, 2)))
    _draw_forecast(axis, view)
    _mark_events(axis, view, are_numbered=True)
    _set_title(axis, f"{view.worded(index_name(view.line.settings))}, {view.worded(message('picture.scale'))}")
    axis.yaxis.set_major_locator(MaxNLocator(5))
    low, high = axis.get_ylim()
    axis.set_ylim(max(0, min(low, 48)), min(100, max(high, 52)))


def draw_shares(axis: Axes, view: View) -> None:
    """The shares of the most frequent labels with their bands, each named at its end."""
    look, labels = looks(view.line), prominent(view.line)
    last = []
    for label in labels:
        found = [period.shares[label] for period in view.periods]
        _draw_curve(axis, view.days, found, look[label], width=1.4)
        _draw_thin(axis, view, label, look[label].colour)
        last.append(next(share.value for share in reversed(found) if share is not None))
    _mark_events(axis, view, are_numbered=view.line.settings.weights is None)
    axis.set_ylim(bottom=0)
    top = axis.get_ylim()[1]
    for label, height in zip(labels, _apart(last, 0.065 * top, top), strict=True):
        name = label if len(label) <= 14 else f"{label[:13]}…"
        _name_at_the_end(axis, height, name, look[label].colour, fontweight=700)
    _set_title(axis, view.worded(_shares_title(len(labels), len(view.line.labels))))
    axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _shares_title(shown: int, labels: int) -> Text:
    shares = message("page.shares")
    return shares if shown == labels else message("picture.shares_of_some", shares=shares, shown=shown, labels=labels)


def draw_volume(axis: Axes, view: View) -> None:
    """Comments of each period; gaps are paler."""
    colours = [PALE if period.is_gap else BAR for period in view.periods]
    axis.bar(view.days, [period.n for period in view.periods], width=BAR_DAYS[view.every], color=colours)
    _set_title(axis, view.worded(message(f"volume.{view.every}")))
    axis.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))


def set_dates(axis: Axes, view: View, is_last: bool) -> None:
    """The axis of time, the same for all panels; only the last one carries dates."""
    days = np.concatenate([view.days, view.days_ahead])
    margin = max((days[-1] - days[0]) * 0.01, np.timedelta64(BAR_DAYS[view.every] // 2 + 1, "D"))
    axis.set_xlim(days[0] - margin, days[-1] + margin)
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    korean = {"formats": KOREAN_DATES, "zero_formats": KOREAN_BEGINNINGS, "offset_formats": KOREAN_OFFSETS}
    formats = korean if view.language == "ko" else {}
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator, **formats))  # type: ignore[no-untyped-call]
    axis.tick_params(labelbottom=is_last, length=3)
    if not is_last:
        axis.xaxis.get_offset_text().set_visible(False)


def _draw_curve(axis: Axes, days: Days, found: Sequence[Estimate | None], look: Look, width: float) -> None:
    """A line with its band, broken at gaps; a point between two gaps becomes a dot with a bar."""
    value = np.array([share.value if share else np.nan for share in found])
    low = np.array([share.low if share and share.low is not None else np.nan for share in found])
    high = np.array([share.high if share and share.high is not None else np.nan for share in found])
    is_drawn = np.pad(~np.isnan(value), 1)
    alone = is_drawn[1:-1] & ~is_drawn[:-2] & ~is_drawn[2:]
    axis.fill_between(days, low, high, color=look.colour, alpha=0.15, linewidth=0)
    axis.plot(days, value, color=look.colour, linestyle=look.dash, linewidth=width)
    axis.plot(days[alone], value[alone], "o", color=look.colour, markersize=3)
    axis.vlines(days[alone], low[alone], high[alone], color=look.colour, alpha=0.4, linewidth=1.5)


def _draw_thin(axis: Axes, view: View, label: str | None, colour: str) -> None:
    """The other estimate of a label, or of the index for None: thin and dotted, broken at gaps."""
    if view.line.thin_method is None:
        return
    found = [period.methods.get(view.line.thin_method) for period in view.periods]
    picked = [None if f is None else f.index if label is None else f.shares[label] for f in found]
    value = np.array([estimate.value if estimate else np.nan for estimate in picked])
    axis.plot(view.days, value, color=colour, linestyle=":", linewidth=0.9)


def _draw_forecast(axis: Axes, view: View) -> None:
    """Dashed, with a pale band: what is expected, not what was counted."""
    forecast = view.context.forecast(view.every)
    if forecast is None:
        return
    value, low, high = (np.array([getattr(one, name) for one in forecast.points]) for name in ("value", "low", "high"))
    axis.fill_between(view.days_ahead, low, high, color=MARK, alpha=0.13, linewidth=0)
    axis.plot(view.days_ahead, value, color=MARK, linestyle=(0, (4, 2)), linewidth=1.4)


def _mark_events(axis: Axes, view: View, *, are_numbered: bool) -> None:
    """Upright lines; their numbers stand above, and in a footnote."""
    place = axis.get_xaxis_transform()  # days across, parts of the panel upwards
    for number, event in enumerate(within(view.line, view.context.events), start=1):
        axis.axvline(_day_number(event.day), color=GREY, linewidth=0.8)
        if are_numbered:
            axis.text(_day_number(event.day), 0.99, str(number), transform=place, va="top", **NUMBER)


def _day_number(day: date) -> float:
    """A day as matplotlib counts them, from 1970-01-01."""
    return float((day - date(1970, 1, 1)).days)


def _set_title(axis: Axes, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=11, color=INK, pad=6)
    axis.grid(axis="y", color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)


def _name_at_the_end(
    axis: Axes, height: float, text: str, colour: str, fontsize: float = 10, fontweight: int = 400
) -> None:
    """Text at the right edge: a name at its own line needs no legend and no eye for colour."""
    place = axis.get_yaxis_transform()
    axis.text(1.01, height, text, transform=place, color=colour, va="center", fontsize=fontsize, fontweight=fontweight)


def _apart(heights: Sequence[float], least: float, top: float) -> list[float]:
    """Heights moved up as little as one sweep allows, so that each is `least` above the last, and none above top."""
    order = np.argsort(heights)
    steps = least * np.arange(len(heights))
    placed = np.maximum.accumulate(np.array(heights)[order] - steps) + steps
    placed -= max(0.0, float(placed[-1]) - top)
    result = np.empty(len(heights))
    result[order] = placed
    return [float(height) for height in result]
