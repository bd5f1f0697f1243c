"""How good a classifier is, in pictures for print: PNGs of 150 dots an inch, with Korean and Latin text."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.figures.figure_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    as_png,
    blank_figure,
    draw_matrix,
    margins,
    picture_style,
    shortened,
)
from studies.figures.fonts import font_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 150
# Okabe and Ito (2008): distinguishable with colour blindness; after them dashed
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MOST_SHARES = 12  # labels; in smaller cells two lines of text do not fit
MOST_LINES = 12  # curves in one picture
CLOUD = (560, 360)  # pixels of one emotion's words
EXTRA = 'word clouds need a further package: pip install "moodline[pictures]"'


def matrix_png(confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> bytes:
    """The confusion matrix: rows true, columns predicted; counts, and below each its share of the true label's rows."""
    side = min(9.0, 1.6 + 0.72 * len(labels))
    with picture_style():
        figure = blank_figure(side + 1.4, side + 1.3)
        axes = figure.add_axes(margins(figure, left=1.25, right=0.15, bottom=0.95, top=0.35))
        count_and_share = "{:,.0f}\n{:.0%}".format
        draw_matrix(axes, confusion, labels, count_and_share, most=MOST_SHARES, fontsize=8)
        axes.set_title(title, fontsize=10, color=INK)
        return as_png(figure, DPI)


def reliability_png(bins: Sequence[Mapping[str, Any]], ece: float, title: str) -> bytes:
    """Accuracy against confidence by bin, with Wilson's 95 % intervals, and below how many answers each bin has.

    bins: `low`, `high`, `n`, `confidence`, `accuracy` (the last two None where n is 0). ece: in [0, 1].
    """
    with picture_style():
        figure = blank_figure(5.2, 5.6)
        top = figure.add_axes((0.13, 0.36, 0.83, 0.56))
        below = figure.add_axes((0.13, 0.09, 0.83, 0.18), sharex=top)
        top.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="what it says is so")
        held = [found for found in bins if found["n"]]
        for found in held:
            low, high = _wilson(found["accuracy"], found["n"])
            top.plot([found["confidence"]] * 2, [low, high], color=BLUE, linewidth=1.4)
        points = [(found["confidence"], found["accuracy"]) for found in held]
        style: dict[str, Any] = {"color": BLUE, "markersize": 5, "clip_on": False}  # whole at the edge, too
        top.plot(*zip(*points, strict=True), "o", label="answers, 95 % intervals", **style)
        top.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is right")
        top.set_title(f"{title}: expected calibration error {ece:.3f}", fontsize=10, color=INK)
        top.legend(frameon=False, loc="best")  # where no answer lies
        width = bins[0]["high"] - bins[0]["low"]
        below.bar([found["low"] + width / 2 for found in bins], [found["n"] for found in bins], width * 0.9, color=GREY)
        below.set(xlabel="confidence: probability of the likeliest label", ylabel="answers")
        return as_png(figure, DPI)


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's score interval (1927), 95 %."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def figures_png(intervals: Mapping[str, Any], labels: Sequence[str], title: str) -> bytes:
    """F1, precision and recall of each label, and the averages, with their 95 % intervals."""
    rows = [("accuracy", [(intervals["accuracy"], INK)])]
    kinds = (("f1", BLUE), ("precision", ORANGE), ("recall", "#009E73"))
    rows += [("mean over labels", [(intervals[f"macro_{name}"], colour) for name, colour in kinds])]
    rows += [(label, [(intervals["per_class"][label][name], colour) for name, colour in kinds]) for label in labels]
    with picture_style():
        figure = blank_figure(6.4, 1.3 + 0.42 * len(rows))
        axes = figure.add_axes(margins(figure, left=1.5, right=0.2, bottom=0.55, top=0.6))
        for at, (_, found) in enumerate(rows):
            for i, (interval, colour) in enumerate(found):
                y = at + 0.22 * (i - (len(found) - 1) / 2)
                axes.plot([interval["low"], interval["high"]], [y, y], color=colour, linewidth=1.6)
                axes.plot([interval["value"]], [y], "o", color=colour, markersize=4)
        for name, colour in kinds:
            axes.plot([], [], "o-", color=colour, markersize=4, label=name)
        axes.set_yticks(range(len(rows)), [shortened(name) for name, _ in rows])
        axes.set(xlim=(0, 1.005), ylim=(len(rows) - 0.5, -0.5), xlabel="95 % bootstrap intervals")
        figure.suptitle(title, fontsize=10, color=INK)
        axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
        return as_png(figure, DPI)


def courses_png(courses: Mapping[str, Sequence[Mapping[str, Any]]], metric: str) -> bytes:
    """Losses in training and on validation, and what was optimised, epoch by epoch, a line for each model.

    courses: by the model's name, its epochs' `number`, `loss`, `value` and, where it is known, `validation_loss`, in
    order. The MOST_LINES first are drawn.
    """
    from matplotlib.ticker import MaxNLocator

    shown = list(courses.items())[:MOST_LINES]
    with picture_style():
        figure = blank_figure(8.4, 3.4 + 0.19 * len(shown))
        below = 0.75 + 0.19 * len(shown)
        left = figure.add_axes(margins(figure, left=0.65, right=4.4, bottom=below, top=0.35))
        right = figure.add_axes(margins(figure, left=4.75, right=0.2, bottom=below, top=0.35))
        for i, (name, epochs) in enumerate(shown):
            style: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "linestyle": "-" if i < len(COLOURS) else "--"}
            style |= {"marker": "o", "markersize": 3, "label": shortened(name, 90)}
            numbers = [epoch["number"] for epoch in epochs]
            left.plot(numbers, [epoch["loss"] for epoch in epochs], **style)
            right.plot(numbers, [epoch["value"] for epoch in epochs], **style)
            held_out = [epoch["validation_loss"] for epoch in epochs if epoch.get("validation_loss") is not None]
            if len(held_out) == len(numbers):
                left.plot(numbers, held_out, **{**style, "linestyle": ":", "marker": "s", "label": None})
        for axes, title in (
            (left, "loss in nats: training, dotted: validation"),
            (right, shortened(f"validation: {metric}", 50)),
        ):
            axes.set_title(title, fontsize=10, color=INK)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        handles, names = left.get_legend_handles_labels()
        figure.legend(handles, names, frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0.06, 0.0))
        return as_png(figure, DPI)


def labels_png(counts: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> bytes:
    """How often each label stands in each split: bars of shares, with the counts next to them.

    counts: by split, by label.
    """
    splits = {split: own for split, own in counts.items() if sum(own.values())}
    tall = 0.2 * len(splits) + 0.15
    with picture_style():
        figure = blank_figure(6.8, 1.25 + tall * len(labels))
        axes = figure.add_axes(margins(figure, left=1.5, right=0.6, bottom=0.5, top=0.6))
        most = 0.0
        for i, (split, own) in enumerate(splits.items()):
            n = sum(own.values())
            shares = [own.get(label, 0) / n for label in labels]
            most = max(most, *shares)
            at = [y + (i - (len(splits) - 1) / 2) * 0.8 / len(splits) for y in range(len(labels))]
            axes.barh(at, shares, 0.74 / len(splits), color=COLOURS[i % len(COLOURS)], label=f"{split} ({n:,})")
            for y, label, share in zip(at, labels, shares, strict=True):
                axes.text(share, y, f" {own.get(label, 0):,}", va="center", fontsize=7, color=GREY)
        axes.set_yticks(range(len(labels)), [shortened(label) for label in labels])
        axes.set(ylim=(len(labels) - 0.5, -0.5), xlim=(0, most * 1.08), xlabel="share of the split")
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
        axes.legend(frameon=False, ncols=4, fontsize=8, loc="lower center", bbox_to_anchor=(0.45, 1.0))
        return as_png(figure, DPI)


def words_png(words: Sequence[Mapping[str, float]], labels: Sequence[str], title: str, seed: int) -> bytes:
    """A word cloud for each label: the larger a word, the more typical it is of that label.

    words: by label, word and strength, positive. Raises ModuleNotFoundError where the extra is not installed.
    """
    try:
        from wordcloud import WordCloud
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(EXTRA) from error
    columns = min(3, len(labels))
    lines = -(-len(labels) // columns)
    with picture_style():
        figure = blank_figure(3.4 * columns, 2.5 * lines + 0.45)
        figure.suptitle(title, fontsize=11, color=INK, y=1 - 0.18 / figure.get_figheight())
        for i, (label, own) in enumerate(zip(labels, words, strict=True)):
            axes, colour = figure.add_axes(_cell(figure, i, columns, lines)), COLOURS[i % len(COLOURS)]
            axes.set_axis_off()
            axes.set_title(shortened(label, 40), fontsize=10, fontweight=700, color=colour)
            if own:
                cloud = WordCloud(
                    font_path=str(font_file()),
                    width=CLOUD[0],
                    height=CLOUD[1],
                    background_color="white",
                    prefer_horizontal=1.0,
                    color_func=lambda *_, colour=colour, **__: colour,
                    random_state=seed,
                )
                axes.imshow(cloud.generate_from_frequencies(dict(own)).to_array(), interpolation="bilinear")
            else:
                axes.text(0.5, 0.5, "too few texts", ha="center", va="center", color=GREY, transform=axes.transAxes)
        return as_png(figure, DPI)


def _cell(figure: "Figure", i: int, columns: int, lines: int) -> tuple[float, float, float, float]:
    width, height = 1 / columns, 2.5 / figure.get_figheight()
    row, column = divmod(i, columns)
    return (column * width + 0.01, (lines - 1 - row) * height + 0.01, width - 0.02, height * 0.86)
