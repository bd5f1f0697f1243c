"""The line as one PNG for print: index, shares and volume above each other, with what a reader must know below."""

from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stages.monitor.report.messages import Language, index_name, language_of, message
from stages.monitor.report.notes import context_footnotes, footnotes
from stages.monitor.report.page_context import NO_CONTEXT, Context
from stages.monitor.report.png_panels import GREY, INK, View, draw_index, draw_shares, draw_volume, set_dates
from stages.monitor.schema.line import Line, headline, periods_of
from storage.files.atomic_write import write_whole
from studies.figures.figure_style import STYLE
from studies.figures.fonts import picture_fonts

DPI = 150
WIDTH = 10.0  # inches, like all heights here
HEIGHTS = {"index": 2.4, "shares": 3.0, "volume": 0.9}
PANELS = {"index": draw_index, "shares": draw_shares, "volume": draw_volume}
BETWEEN, LEAD = 0.55, 0.185
LEFT = 0.015  # of the width
NOTE_WIDTH = 160.0  # Latin letters of a footnote's line; a Hangul syllable takes the place of 1.8
WARNING = "#A33B00"
LOOKS: dict[Any, Any] = {"axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY, "font.size": 10.5}


def draw_png(
    line: Line,
    path: Path,
    *,
    title: str | None = None,
    notice: str | None = None,
    language: Language | None = None,
    context: Context = NO_CONTEXT,
) -> None:
    """Writes the picture, 1,500 pixels wide, 150 dpi.

    title: above all, by default the index's name. notice: a warning, for instance that a simulation made the labels.
    language: by default Korean where a label is written in Hangul. context: its events and forecast are drawn. The
    periods are of the shortest length that is neither crowded nor mostly gaps. No display is needed, and matplotlib's
    settings stay as they were.
    """
    every = headline(line)
    view = View(line, every, periods_of(line, every), language or language_of(line.labels), context)
    with rc_context({**picture_fonts(), **STYLE, **LOOKS}):
        figure = _figure(view, title or view.worded(index_name(line.settings)), notice)
        png = BytesIO()
        figure.savefig(png, format="png", dpi=DPI, facecolor="white")
    write_whole(path, png.getvalue())


def _figure(view: View, title: str, notice: str | None) -> Figure:
    names = [name for name in HEIGHTS if name != "index" or view.line.settings.weights is not None]
    notes = _wrapped_notes(view)
    above, below = 1.15 if notice else 0.9, 0.55 + LEAD * len(notes)
    height = above + sum(HEIGHTS[name] for name in names) + BETWEEN * (len(names) - 1) + below
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    figure.text(LEFT, 1 - 0.32 / height, title, va="center", fontsize=15, fontweight=700, color=INK)
    if notice:
        figure.text(LEFT, 1 - 0.62 / height, notice, va="center", fontsize=10, fontweight=700, color=WARNING)
    figure.text(LEFT, 0.14 / height, "\n".join(notes), fontsize=8.5, color=GREY, va="bottom", linespacing=1.45)
    _draw_panels(view, _panels(figure, names, above))
    return figure


def _wrapped_notes(view: View) -> list[str]:
    notes = [*footnotes(view.line, view.periods), *context_footnotes(view.line, view.context, view.every)]
    return [part for note in notes for part in _wrapped(view.worded(note), NOTE_WIDTH)]


def _wrapped(text: str, most: float) -> list[str]:
    """Lines of at most `most` Latin letters' width, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        wide = sum(east_asian_width(letter) in "WF" for letter in longer)
        if lines[-1] and len(longer) + 0.8 * wide > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _panels(figure: Figure, names: list[str], above: float) -> dict[str, Axes]:
    """Axes of the given heights under each other, from `above` inches below the top."""
    height, top, panels = figure.get_figheight(), above, {}
    for name in names:
        top += HEIGHTS[name]
        panels[name] = figure.add_axes((0.06, 1 - top / height, 0.8, HEIGHTS[name] / height))
        top += BETWEEN
    return panels


def _draw_panels(view: View, panels: dict[str, Axes]) -> None:
    if not view.periods:
        for axis in panels.values():
            axis.set_axis_off()
        text = view.worded(message("page.nothing_drawn"))
        panels["shares"].text(0.5, 0.5, text, transform=panels["shares"].transAxes, ha="center", fontsize=12, color=INK)
        return
    for name, axis in panels.items():
        PANELS[name](axis, view)
        set_dates(axis, view, is_last=name == "volume")
