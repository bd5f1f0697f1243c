import numpy as np
import pytest

from stages.monitor.schema.emotion_index import index_of, weights_text

LABELS = ("joy", "calm", "anger")
WEIGHTS = {"joy": 2.0, "calm": 0.0, "anger": -4.0}


@pytest.mark.parametrize(
    ("shares", "index"),
    [((0, 1, 0), 50), ((0, 0, 1), 0), ((1, 0, 0), 75), ((0.5, 0.25, 0.25), 50)],
)
def test_the_index_follows_its_formula(shares: tuple[float, ...], index: float) -> None:
    assert index_of(np.array(shares), WEIGHTS, LABELS) == pytest.approx(index)


def test_the_index_of_resamples_is_taken_column_by_column() -> None:
    shares = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert index_of(shares, WEIGHTS, LABELS).tolist() == [75, 0]


def test_weights_are_written_with_their_signs() -> None:
    assert weights_text(WEIGHTS) == "joy +2, calm 0, anger -4"
