"""A confusion matrix as all figures have it, and margins in inches."""

import matplotlib as mpl
import pytest

from studies.figures.figure_style import MOST_NAMES, blank_figure, draw_matrix, margins, picture_style, shortened


def test_cells_have_counts_and_shares_of_the_true_label_in_readable_ink() -> None:
    axes = blank_figure(4, 4).add_subplot()
    draw_matrix(axes, [[9, 1], [0, 0]], ["anger", "j" * 20], lambda n, share: f"{n:g} {share:.1f}", most=5)
    assert [text.get_text() for text in axes.texts] == ["9 0.9", "1 0.1", "0 0.0", "0 0.0"]
    assert axes.texts[0].get_color() == "white"
    assert axes.texts[1].get_color() != "white"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["anger", "j" * 15 + "…"]


def test_a_matrix_of_many_labels_has_neither_names_nor_text_in_its_cells() -> None:
    axes = blank_figure(4, 4).add_subplot()
    k = MOST_NAMES + 1
    draw_matrix(axes, [[1] * k] * k, [f"label {i}" for i in range(k)], lambda n, share: "x", most=5)
    assert (list(axes.texts), list(axes.get_xticks())) == ([], [])


def test_margins_are_in_inches() -> None:
    figure = blank_figure(10, 5)
    assert margins(figure, left=1, right=2, bottom=0.5, top=1) == pytest.approx((0.1, 0.1, 0.7, 0.7))


def test_the_style_of_a_picture_changes_no_setting_for_good() -> None:
    before = mpl.rcParams["font.size"], list(mpl.rcParams["font.family"])
    with picture_style():
        assert mpl.rcParams["font.size"] == 9
    assert (mpl.rcParams["font.size"], list(mpl.rcParams["font.family"])) == before


def test_only_a_long_text_is_shortened() -> None:
    assert shortened("short", 5) == "short"
    assert shortened("longer", 5) == "long…"
