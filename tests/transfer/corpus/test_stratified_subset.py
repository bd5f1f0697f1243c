import numpy as np
import pytest

from transfer.corpus.labelled import Labelled, select_rows
from transfer.corpus.splits import FEWEST_OF_A_LABEL, stratified_subset


def rows_of(*counts: int) -> Labelled:
    """So many texts of each label, mixed."""
    labels = np.repeat(np.arange(len(counts)), counts)
    order = np.random.default_rng(1).permutation(len(labels))
    texts = [f"text {i}" for i in order]
    return Labelled(texts, labels[order].astype(np.int64), texts, {})


@pytest.mark.parametrize("size", [12, 13, 57, 100, 299])
def test_a_subset_has_exactly_the_size_and_every_label_its_share(size: int) -> None:
    rows = rows_of(200, 60, 40)
    part = stratified_subset(rows, size, seed=3)
    assert len(part) == size
    shares = np.bincount(part.labels, minlength=3) / size
    if size >= 57:  # below it the least of a label counts for more than its share
        assert np.abs(shares - np.array([200, 60, 40]) / 300).max() < 2 / size


def test_a_rare_label_keeps_a_few_rows_or_all_it_has() -> None:
    part = stratified_subset(rows_of(990, 7, 3), 50, seed=3)
    assert np.bincount(part.labels, minlength=3).tolist() == [43, FEWEST_OF_A_LABEL, 3]
    assert len(stratified_subset(rows_of(990, 7, 3), 1, seed=3)) == 2 * FEWEST_OF_A_LABEL + 3


def test_a_larger_subset_contains_the_smaller() -> None:
    rows = rows_of(120, 33, 5, 71)
    before = set[str]()
    for size in range(16, 230):
        now = set(stratified_subset(rows, size, seed=3).texts)
        assert before <= now
        before = now
    assert before == set(rows.texts)


def test_the_order_of_rows_does_not_matter_and_the_seed_does() -> None:
    rows = rows_of(50, 50)
    turned = Labelled(rows.texts[::-1], rows.labels[::-1], rows.keys[::-1], {})
    assert set(stratified_subset(turned, 30, 3).texts) == set(stratified_subset(rows, 30, 3).texts)
    assert set(stratified_subset(rows, 30, 4).texts) != set(stratified_subset(rows, 30, 3).texts)


def test_the_rows_stay_in_the_order_of_the_files() -> None:
    rows = rows_of(50, 50)
    part = stratified_subset(rows, 30, 3)
    mask = np.isin(rows.texts, part.texts)
    assert part.fingerprint == select_rows(rows, mask, {}).fingerprint
