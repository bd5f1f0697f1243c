"""Labels are drawn in a font that has their letters."""

from studies.figures.fonts import font_for
from tests.helpers.shown_trials import KOREAN


def test_labels_are_drawn_in_a_font_that_has_their_letters() -> None:
    assert {font_for(label, 11).getname()[0] for label in KOREAN} == {"NanumGothic"}
    assert font_for("гнев", 11).getname()[0] == "NanumGothic"
    assert font_for("غضب", 11).getname()[0] == "DejaVu Sans"
