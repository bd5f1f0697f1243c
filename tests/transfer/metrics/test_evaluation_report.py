"""A reviewer finds every figure with its interval, and slices that hold their own rows."""

import json

import numpy as np
import pytest
from sklearn import metrics

from transfer.metrics.evaluation_report import FEWEST, MOST_SLICES, by_length, evaluation_report, slices

LABELS = ("anger", "joy", "neutral")
RNG = np.random.default_rng(1)
TRUTH = RNG.choice(3, 400, p=[0.5, 0.4, 0.1])
PROBABILITIES = RNG.dirichlet(np.ones(3), 400) + 0.6 * np.eye(3)[TRUTH]
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
PREDICTED = PROBABILITIES.argmax(axis=1)


def test_all_figures_are_there_as_plain_json() -> None:
    told = json.loads(json.dumps(evaluation_report(PROBABILITIES, TRUTH, LABELS, seed=0)))
    assert set(told) >= {"n", "accuracy", "macro_f1", "weighted_f1", "per_class", "labels", "confusion"}
    for name in ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier", "ece"):
        interval = told["intervals"][name]
        assert interval["value"] == pytest.approx(told[name])
        assert interval["low"] <= told[name] <= interval["high"]
    shares = metrics.confusion_matrix(TRUTH, PREDICTED, normalize="true")
    np.testing.assert_allclose(told["confusion_shares"], shares)
    assert sum(held["n"] for held in told["reliability"]) == 400


def test_a_label_without_rows_has_a_share_of_nothing() -> None:
    told = evaluation_report(PROBABILITIES[TRUTH < 2], TRUTH[TRUTH < 2], LABELS, seed=0)
    assert told["confusion_shares"][2] == [0, 0, 0]


def test_a_slice_is_judged_by_its_own_rows_and_the_labels_that_stand_in_it() -> None:
    ways = {"source": ["film" if i % 4 else "song" for i in range(400)]}
    (film, song) = slices(PROBABILITIES, TRUTH, ways)["source"]
    rows = np.arange(400) % 4 == 0
    assert (film["slice"], film["n"], song["n"]) == ("film", 300, 100)
    assert song["accuracy"] == pytest.approx(np.mean(TRUTH[rows] == PREDICTED[rows]))
    assert song["macro_f1"] == pytest.approx(metrics.f1_score(TRUTH[rows], PREDICTED[rows], average="macro"))
    assert song["low"] <= song["macro_f1"] <= song["high"]


def test_labels_that_are_absent_from_a_slice_do_not_make_it_look_bad() -> None:
    mask = TRUTH == 1
    (found,) = slices(PROBABILITIES[mask], TRUTH[mask], {"source": ["x"] * int(mask.sum())})["source"]
    own = metrics.f1_score(TRUTH[mask], PREDICTED[mask], labels=[1], average="macro")
    assert found["macro_f1"] == pytest.approx(own)


def test_small_slices_have_no_figure_and_many_are_put_together() -> None:
    names = [f"film {i:03d}" for i in range(400)]
    names[: FEWEST * 2] = ["large"] * FEWEST * 2
    found = slices(PROBABILITIES, TRUTH, {"source": names})["source"]
    assert len(found) == MOST_SLICES + 1
    assert sum(part["n"] for part in found) == 400
    assert next(part for part in found if part["slice"] == "large")["macro_f1"] is not None
    assert all(part["macro_f1"] is None for part in found if part["n"] < FEWEST)
    assert found[-1]["slice"].endswith("others")


def test_rows_without_a_value_are_in_no_slice() -> None:
    found = slices(PROBABILITIES, TRUTH, {"month": ["2024-01"] * 100 + [""] * 300})["month"]
    assert [(part["slice"], part["n"]) for part in found] == [("2024-01", 100)]


def test_lengths_are_parted_in_quarters_in_their_order() -> None:
    texts = ["x" * n for n in RNG.permutation(np.arange(1, 401))]
    names = by_length(texts)
    found = slices(PROBABILITIES, TRUTH, {"length": names})["length"]
    assert [part["n"] for part in found] == pytest.approx([100] * 4, abs=1)
    assert [part["slice"].split()[0] for part in found] == sorted((part["slice"].split()[0] for part in found), key=int)
    for text, name in zip(texts, names, strict=True):
        low, _, high, _ = name.split()
        assert int(low) <= len(text) <= int(high)


@pytest.mark.parametrize("texts", [["a"], ["ab", "ab"], ["a", "abc"]])
def test_few_or_equal_lengths_are_parted_too(texts: list[str]) -> None:
    assert len(by_length(texts)) == len(texts)
