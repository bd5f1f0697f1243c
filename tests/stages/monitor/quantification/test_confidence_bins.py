"""Comments are counted by predicted label and by how sure the model was."""

import numpy as np
import pytest

from stages.monitor.quantification.confidence_bins import MOST, ConfidenceBins


def test_a_bin_is_of_a_label_and_a_level_of_doubt() -> None:
    bins = ConfidenceBins(2)
    probabilities = np.array([[0.999, 0.001], [0.001, 0.999], [0.75, 0.25], [0.5, 0.5]])
    numbers = bins.of(np.array([0, 1, 0, 0]), probabilities)
    assert numbers.tolist() == [0, bins.levels, 5, bins.levels - 2]


def test_counts_of_bins_add_up_to_those_of_labels() -> None:
    bins = ConfidenceBins(3)
    counts = np.arange(2 * len(bins) * 4).reshape(2, len(bins), 4)
    by_label = bins.by_label(counts)
    assert by_label.shape == (2, 3, 4)
    assert np.array_equal(by_label[:, 1], counts[:, bins.levels : 2 * bins.levels].sum(axis=1))


@pytest.mark.parametrize("labels", [2, 8, 20, 60])
def test_with_more_labels_there_are_fewer_levels(labels: int) -> None:
    bins = ConfidenceBins(labels)
    assert len(bins) == labels * bins.levels <= max(MOST, 2 * labels)
    assert bins.levels >= 2
