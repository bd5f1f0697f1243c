"""What stage two's trials are selected by."""

from pathlib import Path

import numpy as np

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import Sampled
from stages.study_runs.selection_split import HELD_OUT, selection_split
from tests.helpers.labelled_files import read


def sampled(n: int) -> Sampled:
    probabilities = np.tile(np.array([0.2, 0.8], np.float32), (n, 1))
    return Sampled([f"key {i}" for i in range(n)], [f"text {i}" for i in range(n)], np.arange(n) % 2, probabilities)


def test_with_gold_its_tune_half_selects_and_all_pseudo_labels_train(tmp_path: Path) -> None:
    gold, pseudo = Gold(read(tmp_path, "a,joy"), read(tmp_path, "b,joy")), sampled(10)
    split, rest = selection_split(gold, pseudo)
    assert (split.texts, split.source) == (["a"], "gold")
    assert rest is pseudo


def test_without_gold_some_pseudo_labels_select_and_do_not_train() -> None:
    split, rest = selection_split(None, sampled(1_000))
    assert split.source == "pseudo-labels"
    assert len(split.texts) + len(rest.texts) == 1_000
    assert not set(split.texts) & set(rest.texts)
    assert abs(len(split.texts) / 1_000 - HELD_OUT) < 0.04
    assert [int(text.split()[1]) % 2 for text in split.texts] == split.truth.tolist()
    assert rest.probabilities.shape == (len(rest.texts), 2)


def test_a_larger_sample_moves_no_text_to_the_other_side() -> None:
    few, _ = selection_split(None, sampled(300))
    many, _ = selection_split(None, sampled(600))
    assert [text for text in many.texts if int(text.split()[1]) < 300] == few.texts
