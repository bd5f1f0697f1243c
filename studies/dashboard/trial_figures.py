"""A trial's figures as optuna-dashboard shows them: its confusion matrix and its learning curves, as small PNGs."""

from collections.abc import Mapping, Sequence

from studies.figures.figure_style import (
    BLUE,
    INK,
    ORANGE,
    as_png,
    blank_figure,
    draw_matrix,
    margins,
    picture_style,
    shortened,
)

DPI = 80
MOST_NUMBERS = 14  # labels; with more, numbers would only lie upon one another


def confusion_png(confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> bytes:
    """The confusion matrix: rows true, columns predicted, coloured by the share of the true label's rows.

    confusion: (K, K) counts. The picture is at most 576 pixels wide.
    """
    side = min(6.0, 1.8 + 0.55 * len(labels))
    with picture_style():
        figure = blank_figure(side + 1.2, side + 1.2)
        axes = figure.add_axes(margins(figure, left=1.05, right=0.15, bottom=0.85, top=0.35))
        draw_matrix(axes, confusion, labels, lambda count, _: f"{count:.0f}", most=MOST_NUMBERS)
        axes.tick_params(labelsize=7)
        axes.xaxis.set_label_coords(0.5, -0.72 / side)
        axes.yaxis.set_label_coords(-0.9 / side, 0.5)
        figure.suptitle(title, fontsize=9, color=INK)
        return as_png(figure, DPI)


def curves_png(losses: Sequence[float], values: Mapping[int, float], metric: str, best_epoch: int) -> bytes:
    """Training loss and the objective on validation, epoch by epoch; the epoch that was kept is marked.

    losses: of epochs 1, 2, ...; values: by epoch. What is not finite is left out.
    """
    from matplotlib.ticker import MaxNLocator

    with picture_style():
        figure = blank_figure(6.4, 2.7)
        left = figure.add_axes(margins(figure, left=0.6, right=3.45, bottom=0.5, top=0.35))
        right = figure.add_axes(margins(figure, left=3.75, right=0.25, bottom=0.5, top=0.35))
        left.plot(range(1, len(losses) + 1), losses, "o-", color=ORANGE, markersize=4)
        left.set_title("training loss", fontsize=9, color=INK)
        finite = {epoch: value for epoch, value in sorted(values.items()) if abs(value) < float("inf")}
        right.plot(list(finite), list(finite.values()), "o-", color=BLUE, markersize=4)
        if best_epoch in finite:
            right.plot([best_epoch], [finite[best_epoch]], "o", color=INK, markersize=10, fillstyle="none")
        right.set_title(f"{shortened(metric, 40)}, kept: epoch {best_epoch}", fontsize=9, color=INK)
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        return as_png(figure, DPI)
