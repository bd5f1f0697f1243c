"""A trial's pictures as optuna-dashboard shows them: its confusion matrix and its learning curves, as small PNGs.

Drawn by Pillow. Each trial waits for them, and matplotlib takes a quarter of a second for the two
(benchmarks/trial_overhead.py); larger pictures of a whole run are score_pictures.py's.
"""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from studies.figures.figure_style import BLUE, GREY, INK, MOST_NAMES, ORANGE, shortened
from studies.figures.fonts import font_for

Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
INCH = 80
SHARPER = 3  # curves are drawn so many times larger and then reduced, which smooths them
SMALL = 11  # pixels of a letter
MOST_NUMBERS = 14  # labels; with more, numbers would only lie upon one another
# "Blues" of ColorBrewer (Brewer, 2003)
BLUES = np.array(
    [
        (247, 251, 255),
        (222, 235, 247),
        (198, 219, 239),
        (158, 202, 225),
        (107, 174, 214),
        (66, 146, 198),
        (33, 113, 181),
        (8, 81, 156),
        (8, 48, 107),
    ],
    dtype=np.float64,
)


def confusion_png(confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> bytes:
    """The confusion matrix: rows true, columns predicted, coloured by the share of the true label's rows.

    confusion: (K, K) counts. The picture is at most 576 pixels wide.
    """
    counts = np.asarray(confusion, dtype=np.int64)  # (K, K)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = round(min(6.0, 1.8 + 0.55 * len(labels)) * INCH)
    box = (84, 28, 84 + side, 28 + side)
    picture = Image.new("RGB", (side + 96, side + 96), "white")
    picture.paste(Image.fromarray(blues(shares)).resize((side, side), Image.Resampling.NEAREST), box[:2])
    draw = ImageDraw.Draw(picture)
    _frame(draw, box)
    cell = side / len(labels)
    middles = [round(cell * (i + 0.5)) for i in range(len(labels))]
    if len(labels) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            ink = "white" if shares[row, column] > 0.55 else INK
            _write(draw, (84 + middles[column], 28 + middles[row]), str(count), "mm", ink)
    for label, middle in zip(labels, middles, strict=True) if len(labels) <= MOST_NAMES else ():
        name = shortened(label)
        _tick(draw, box, 28 + middle, name)
        draw.line([(84 + middle, box[3]), (84 + middle, box[3] + 3)], fill=GREY)
        _write_aslant(picture, (84 + middle, box[3] + 7), name)
    _write(draw, (84 + side // 2, 14), title, "mm")
    _write(draw, (84 + side // 2, side + 86), "predicted", "mm")
    _write_upward(picture, (12, 28 + side // 2), "true")
    return _as_png(picture)


def curves_png(losses: Sequence[float], values: Mapping[int, float], metric: str, best_epoch: int) -> bytes:
    """Training loss and the objective on validation, epoch by epoch; the epoch that was kept is marked.

    losses: of epochs 1, 2, ...; values: by epoch.
    """
    picture = Image.new("RGB", (512, 216), "white")
    left, right = (44, 28, 236, 176), (300, 28, 492, 176)
    loss = dict(enumerate(losses, start=1))
    _curve(picture, left, loss, ORANGE, None)
    _curve(picture, right, values, BLUE, best_epoch)
    draw = ImageDraw.Draw(picture)
    _axes(draw, left, loss, "training loss")
    _axes(draw, right, values, f"{shortened(metric, 40)}, kept: epoch {best_epoch}")
    return _as_png(picture)


def blues(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(..., 3) colours of shares (...) in [0, 1]: white to dark blue."""
    at = np.linspace(0, 1, len(BLUES))
    return np.stack([np.interp(shares, at, BLUES[:, band]) for band in range(3)], axis=-1).round().astype(np.uint8)


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 round numbers that span [low, high]: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    width = (high - low) / most
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= width * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _span(found: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest with a margin of a twentieth, and never the same."""
    known = [value for value in found if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return low - margin, high + margin


def _points(box: Box, course: Mapping[int, float]) -> dict[int, tuple[float, float]]:
    """Where each epoch's value lies in the picture; those that are no numbers are left out."""
    left, top, right, bottom = box
    (first, last), (low, high) = _span([float(epoch) for epoch in course]), _span(list(course.values()))
    return {
        epoch: (
            left + (right - left) * (epoch - first) / (last - first),
            bottom - (bottom - top) * (value - low) / (high - low),
        )
        for epoch, value in sorted(course.items())
        if math.isfinite(value)
    }


def _curve(picture: Image.Image, box: Box, course: Mapping[int, float], colour: str, marked: int | None) -> None:
    """Draws the line into its box, smoothed."""
    left, top, right, bottom = (box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6)
    large = Image.new("RGB", ((right - left) * SHARPER, (bottom - top) * SHARPER), "white")
    draw = ImageDraw.Draw(large)
    points = {e: ((x - left) * SHARPER, (y - top) * SHARPER) for e, (x, y) in _points(box, course).items()}
    if len(points) > 1:
        draw.line(list(points.values()), fill=colour, width=round(1.5 * SHARPER), joint="curve")
    for point in points.values():
        draw.circle(point, 2 * SHARPER, fill=colour)
    if marked in points:
        draw.circle(points[marked], 5 * SHARPER, outline=INK, width=SHARPER)
    picture.paste(large.reduce(SHARPER), (left, top))


def _axes(draw: ImageDraw.ImageDraw, box: Box, course: Mapping[int, float], title: str) -> None:
    _frame(draw, box)
    left, top, right, bottom = box
    first, last = _span([float(epoch) for epoch in course])
    low, high = _span(list(course.values()))
    for epoch in ticks(first, last, 5):
        if epoch == round(epoch):
            x = round(left + (right - left) * (epoch - first) / (last - first))
            draw.line([(x, bottom), (x, bottom + 3)], fill=GREY)
            _write(draw, (x, bottom + 5), str(round(epoch)), "ma", GREY)
    for value in ticks(low, high, 5):
        _tick(draw, box, round(bottom - (bottom - top) * (value - low) / (high - low)), f"{value:.4g}")
    _write(draw, ((left + right) // 2, 14), title, "mm")
    _write(draw, ((left + right) // 2, bottom + 29), "epoch", "mm")


def _frame(draw: ImageDraw.ImageDraw, box: Box) -> None:
    """The axes' lines, left and below."""
    draw.line([(box[0], box[1]), (box[0], box[3]), (box[2], box[3])], fill=GREY)


def _tick(draw: ImageDraw.ImageDraw, box: Box, y: int, text: str) -> None:
    draw.line([(box[0] - 3, y), (box[0], y)], fill=GREY)
    _write(draw, (box[0] - 6, y), text, "rm", GREY)


def _font(text: str) -> ImageFont.FreeTypeFont:
    return font_for(text, SMALL)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, anchor: str, ink: str = INK) -> None:
    """One line of text; anchor: Pillow's, of what `at` is."""
    draw.text(at, " ".join(text.split()), font=_font(text), fill=ink, anchor=anchor)


def _write_aslant(picture: Image.Image, end: tuple[int, int], text: str) -> None:
    """Text that rises by 45 degrees and ends at `end`."""
    turned = _stencil(text).rotate(45, expand=True, resample=Image.Resampling.BICUBIC)
    place = (end[0] - turned.width + 6, end[1])
    picture.paste(Image.new("RGB", turned.size, GREY), place, turned)


def _write_upward(picture: Image.Image, middle: tuple[int, int], text: str) -> None:
    turned = _stencil(text).rotate(90, expand=True)
    place = (middle[0] - turned.width // 2, middle[1] - turned.height // 2)
    picture.paste(Image.new("RGB", turned.size, INK), place, turned)


def _stencil(text: str) -> Image.Image:
    """Where a line of text has ink, as an image of its own."""
    line = " ".join(text.split())
    stencil = Image.new("L", (math.ceil(_font(line).getlength(line)) + 2, SMALL + 6))
    ImageDraw.Draw(stencil).text((1, stencil.height // 2), line, font=_font(line), fill=255, anchor="lm")
    return stencil


def _as_png(picture: Image.Image) -> bytes:
    png = BytesIO()
    picture.save(png, format="png")
    return png.getvalue()
