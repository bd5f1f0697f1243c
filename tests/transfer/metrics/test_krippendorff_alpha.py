"""Krippendorff's alpha, as he worked it out himself."""

import math

import numpy as np
import pytest

from transfer.metrics.krippendorff_alpha import krippendorff_alpha

# Krippendorff (2011), section C: four observers, twelve units, five values; 0 is no value there.
DATA = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)


def test_it_is_what_the_paper_gives_with_missing_values() -> None:
    assert krippendorff_alpha(DATA - 1, 5) == pytest.approx(0.743, abs=5e-4)


def test_full_agreement_is_one_and_chance_about_zero() -> None:
    assert krippendorff_alpha(np.array([[0, 1, 2], [0, 1, 2]]), 3) == 1
    said = np.random.default_rng(0).integers(0, 3, (3, 4000))
    assert abs(krippendorff_alpha(said, 3)) < 0.03


@pytest.mark.parametrize("said", [[[0, -1], [-1, 1]], [[1, 1], [1, 1]], [[-1], [-1]]])
def test_where_nothing_can_be_compared_it_is_undefined(said: list[list[int]]) -> None:
    assert math.isnan(krippendorff_alpha(np.array(said), 2))
