"""How pictures look that matplotlib draws for this project, and a confusion matrix as all of them have it."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.figures.fonts import picture_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]
INK, GREY, BLUE, ORANGE = "#222222", "#777777", "#0072B2", "#D55E00"
MOST_NAMES = 40  # labels; with more, names would only lie upon one another
LONGEST_NAME = 16
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "font.size": 9,
}


def draw_matrix(
    axes: "Axes",
    confusion: Sequence[Sequence[int]],
    labels: Sequence[str],
    cell: Callable[[float, float], str],
    *,
    most: int,
    **style: Any,
) -> None:
    """A confusion matrix, coloured by the share of the true label's rows, with both axes' names.

    cell: what stands in a cell, of its count and share. most: labels, above which cells stay without text. style: of
    the cells' text.
    """
    counts = np.asarray(confusion, dtype=np.float64)  # (K, K)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [shortened(label) for label in labels] if len(labels) <= MOST_NAMES else []
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    for (row, column), count in np.ndenumerate(counts) if len(labels) <= most else ():
        share = shares[row, column]
        ink = "white" if share > 0.55 else INK
        axes.text(column, row, cell(count, share), ha="center", va="center", color=ink, **style)
    axes.set(xlabel="predicted", ylabel="true")


def picture_style() -> Any:
    """A context in which one picture is drawn: fonts that show Korean, few lines, no setting changed for good."""
    from matplotlib import rc_context

    return rc_context({**picture_fonts(), **STYLE})


def blank_figure(width: float, height: float) -> "Figure":
    """Width and height in inches; drawn without a display, and known to no other part of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def margins(figure: "Figure", *, left: float, right: float, bottom: float, top: float) -> Box:
    """Axes with these margins in inches. Laying a picture out by its texts would take as long as to draw it twice."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    return (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)


def shortened(text: str, most: int = LONGEST_NAME) -> str:
    """The text, cut with an ellipsis where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + "…"


def as_png(figure: "Figure", dpi: int) -> bytes:
    """The figure as a PNG's bytes. dpi: pixels an inch."""
    png = BytesIO()
    figure.savefig(png, format="png", dpi=dpi, facecolor="white")
    return png.getvalue()
