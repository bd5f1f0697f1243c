"""What several annotators make of a sample: weights that add up, and one label a text."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from stages.annotation.annotate import sample_to_annotate
from stages.annotation.label_aggregation import agreements, gold_rows, row_weights
from storage.records.annotations import Annotation
from tests.helpers.labelling_project import LABELS, opened, truth_of


def answered(keys: dict[str, str | None], who: str = "kim") -> list[Annotation]:
    return [Annotation("small", who, key, label, datetime(2024, 1, 1, tzinfo=UTC)) for key, label in keys.items()]


def test_weights_estimate_the_comments_whoever_stops_where(plan: Path) -> None:
    """Weighted shares over many partly labelled samples come out at the true share: no comment is favoured."""
    estimates = []
    for seed in range(25):
        draw = sample_to_annotate(opened(plan, f"seed={seed}"))
        labels = {row.key: LABELS[truth_of(row.text)] for row in draw.rows[:70]}
        weights = row_weights(draw, set(labels), labels)
        assert sum(weights.values()) == pytest.approx(400)
        estimates.append(sum(weight for key, weight in weights.items() if labels[key] == "joy") / 400)
    assert np.mean(estimates) == pytest.approx(133 / 400, abs=0.03)


def test_a_tie_goes_to_whoever_labelled_most_and_is_counted(plan: Path) -> None:
    draw = sample_to_annotate(opened(plan))
    first, second = draw.rows[0].key, draw.rows[1].key
    given = [*answered({first: "joy"}, "a"), *answered({first: "anger", second: "joy"}, "b")]
    rows, disagreements = gold_rows(draw, given)
    assert {row[0]: row[2] for row in rows}[draw.rows[0].id] == "anger"
    assert disagreements == 1
    assert gold_rows(draw, [*given, *answered({first: "joy"}, "c")])[0][0][2] == "joy"
    assert agreements(draw, given[:1], LABELS, 0) == []
