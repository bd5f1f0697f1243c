"""Labels stay distinct for the colour-blind, and by a second sign where colours come again."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.monitor.report.palette import COLOURS, looks
from tests.helpers.made_up_lines import line_of

Floats = NDArray[np.float64]
# Linear RGB as a dichromat sees it: Machado, Oliveira and Fernandes (2009), severity 1
BLIND = {
    "red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def lab(linear: Floats) -> Floats:
    """CIE L*a*b* of linear RGB, in which a distance of 2 can just be seen side by side."""
    x, y, z = np.cbrt(TO_XYZ @ np.clip(linear, 0, 1) / WHITE)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", BLIND)
def test_no_two_colours_look_alike_to_who_does_not_see(kind: str) -> None:
    rgb = [np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for colour in COLOURS]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in rgb]
    seen = [lab(np.array(BLIND[kind]) @ one) for one in linear]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 10


def test_each_of_many_labels_has_a_look_of_its_own() -> None:
    labels = tuple(f"label {i}" for i in range(20))
    found = looks(replace(line_of([50.0, 51.0]), labels=labels, counts=dict.fromkeys(labels, 1)))
    assert len({(look.colour, look.dash) for look in found.values()}) == 20
