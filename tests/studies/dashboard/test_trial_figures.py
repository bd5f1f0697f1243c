"""Figures of a trial: small, in colours and curves that follow the numbers."""

import io
import warnings

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from studies.dashboard.trial_figures import confusion_png, curves_png
from tests.helpers.shown_trials import KOREAN, size_of


@pytest.mark.parametrize("k", [2, 15, 60])
def test_pictures_of_few_and_many_labels_are_small(k: int) -> None:
    confusion = np.diag(range(k)).tolist()
    png = confusion_png(confusion, [f"감정 {i}" for i in range(k)], "title")
    assert max(size_of(png)) <= 720
    assert len(png) < 60_000
    assert len(curves_png([1.0] * k, {i + 1: 0.5 for i in range(k)}, "macro-F1", 1)) < 60_000


def test_labels_are_drawn_in_a_font_that_has_their_letters() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that no font has
        assert confusion_png(np.eye(5, dtype=int).tolist(), [*KOREAN, "гнев", "غضب"], "title")


def test_a_matrix_shows_each_rows_shares_in_colour() -> None:
    picture = Image.open(io.BytesIO(confusion_png([[9, 1], [0, 5]], ["a", "b"], "title"))).convert("RGB")
    box = (84 + 4, 28 + 4, picture.width - 12 - 4, picture.height - 68 - 4)
    corners = [(box[0], box[1]), (box[2], box[1]), (box[0], box[3]), (box[2], box[3])]
    seen = [picture.getpixel(corner) for corner in corners]
    blues = colormaps["Blues"](np.array([0.9, 0.1, 0.0, 1.0]), bytes=True)
    assert seen == [tuple(colour) for colour in blues[:, :3].tolist()]


def test_curves_rise_and_fall_with_their_values_and_leave_out_what_is_no_number() -> None:
    def heights(values: dict[int, float]) -> list[float]:
        picture = np.asarray(Image.open(io.BytesIO(curves_png([1.0], values, "macro-F1", 9))).convert("RGB")).astype(
            int
        )
        blue = (np.abs(picture - [0, 0x72, 0xB2]).sum(axis=2) < 60)[:, 290:]
        columns = np.flatnonzero(blue.any(axis=0))
        return [float(np.flatnonzero(blue[:, column]).mean()) for column in (columns[2], columns[-3])]

    first, last = heights({1: 0.2, 2: 0.4, 3: 0.9})
    assert last < first - 80  # rows are counted from above
    first, last = heights({1: 0.9, 2: float("nan"), 3: 0.2})
    assert last > first + 80
