"""Several labellers: each evaluated by itself, compared with the others, and averaged."""

from collections import Counter
from pathlib import Path

import pytest

from stages.datasets.pseudo_labels import kept_sample
from stages.datasets.run_data import RunData
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import labels_of
from tests.helpers.fake_server import Body, comment_in, completion, serve
from tests.helpers.labelling_project import LABELS, truth_of
from tests.helpers.served_labellers import at, labelled, number, one, rightly, said, several


def test_several_labellers_are_each_measured_compared_and_averaged(tmp_path: Path) -> None:
    def contrary(body: Body, _: int) -> Body:
        """Wrong on every third comment, and less sure."""
        return said((truth_of(comment_in(body)) + (number(body) % 3 == 0)) % 3, 0.5)

    with serve(rightly) as good, serve(contrary) as poor:
        plan = several(at(good), at(poor, model="poor-lm"))
        run, told = labelled(tmp_path, plan, "pseudo_label.calibrate=none")
        assert (len(good.asked), len(poor.asked)) == (100, 100)
        assert labelled(tmp_path, plan)[1]["asked"] == 0
        alone = labelled(tmp_path, one(good))[1]
        assert alone["asked"] == 0  # it is in the store under its own identity
    first, second = told["labellers"]
    assert (first["labeller"], second["labeller"]) == ("small-lm", "poor-lm")
    assert alone["identity"] == first["identity"]
    assert first["kappa"]["value"] > second["kappa"]["value"]
    assert told["kappa"]["value"] == first["kappa"]["value"]  # the surer one decides
    (pair,) = told["between"]["pairs"]
    numbers = [int(text.split()[1]) for text in _texts(run)]
    assert pair["n"] == 100
    assert pair["same"] == pytest.approx(sum((n % 10 == 0) == (n % 3 == 0) for n in numbers) / 100)
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"]
    assert told["between"]["alpha"] == pytest.approx(pair["kappa"]["value"], abs=0.05)
    rows = list(labels_of(run.engine, told["identity"]))
    assert Counter(row.agreement for row in rows) == {
        1.0: round(pair["same"] * 100),
        0.5: 100 - round(pair["same"] * 100),
    }


def _texts(run: Run) -> list[str]:
    gold = RunData(run).gold
    assert gold is not None
    return [*gold.tune.texts, *gold.report.texts, *(text for _, text in kept_sample(run, gold))]


def test_a_labeller_of_unknown_confidence_makes_the_whole_unknown_and_votes(tmp_path: Path) -> None:
    def bare(body: Body, _: int) -> Body:
        return completion(LABELS[truth_of(comment_in(body))])

    with serve(rightly) as sure, serve(bare) as one_bare:
        run, told = labelled(tmp_path, several(at(sure), at(one_bare, model="bare"), at(one_bare, model="bare too")))
    assert told["unknown_confidence"] == told["gold_n"]
    assert (told["reliability"], told["calibration"], told["kappa"]["value"]) == (None, None, 1)
    assert all(row.probabilities is None for row in labels_of(run.engine, told["identity"]))
