"""A trial's pictures as optuna-dashboard shows them: its confusion matrix and its learning curves, as small PNGs."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.fonts import picture_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]
DPI = 80
INK, GREY, BLUE, ORANGE = "#222222", "#777777", "#0072B2", "#D55E00"
# more rows than these, and numbers or names would only lie upon one another
MOST_NUMBERS, MOST_NAMES = 14, 40
LONGEST_NAME = 16
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "font.size": 9,
}


def confusion_png(confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> bytes:
    """The confusion matrix: rows true, columns predicted, coloured by the share of the true label's rows.

    confusion: (K, K) counts. The picture is at most 720 pixels wide.
    """
    side = min(6.0, 1.8 + 0.55 * len(labels))
    with picture_style():
        figure = blank_figure(side + 1.2, side + 1.2)
        axes = figure.add_axes(margins(figure, left=1.05, right=0.15, bottom=0.85, top=0.35))
        draw_matrix(axes, confusion, labels, lambda count, share: f"{count:.0f}", most=MOST_NUMBERS)
        axes.set_title(title, fontsize=9, color=INK, y=1.0)
        return as_png(figure)


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


def curves_png(losses: Sequence[float], values: Mapping[int, float], metric: str, best_epoch: int) -> bytes:
    """Training loss and the objective on validation, epoch by epoch; the epoch that was kept is marked.

    losses: of epochs 1, 2, ...; values: by epoch.
    """
    from matplotlib.ticker import MaxNLocator

    with picture_style():
        figure = blank_figure(6.4, 2.7)
        left = figure.add_axes(margins(figure, left=0.5, right=3.45, bottom=0.5, top=0.35))
        right = figure.add_axes(margins(figure, left=3.7, right=0.25, bottom=0.5, top=0.35))
        left.plot(range(1, len(losses) + 1), losses, color=ORANGE, marker="o", markersize=3)
        left.set_title("training loss", fontsize=9, color=INK, y=1.0)
        epochs = sorted(values)
        right.plot(epochs, [values[epoch] for epoch in epochs], color=BLUE, marker="o", markersize=3)
        if best_epoch in values:
            right.plot([best_epoch], [values[best_epoch]], "o", markersize=8, markerfacecolor="none", color=INK)
        right.set_title(f"{shortened(metric, 40)}, kept: epoch {best_epoch}", fontsize=9, color=INK, y=1.0)
        for axes in (left, right):
            axes.set_xlabel("epoch")
            # few ticks and no grid: they take most of the time that a picture takes
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        return as_png(figure)


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


def as_png(figure: "Figure") -> bytes:
    """The picture's bytes."""
    png = BytesIO()
    figure.savefig(png, format="png", dpi=DPI, facecolor="white")
    return png.getvalue()


def shortened(text: str, most: int = LONGEST_NAME) -> str:
    """The text, cut with an ellipsis where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + "…"
