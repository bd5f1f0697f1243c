"""Emotions shift, the classifier errs: counting gets the shares wrong, the corrections get them right, with intervals
that hold the truth about as often as they say."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Estimate, Line
from tests.helpers.shifting_emotions import LABELS, MONTHS, Simulation, simulate

CORRECTED = ("acc", "pacc", "em")

WEIGHTS = {"anger": -1.0, "neutral": 0.0, "joy": 1.0}


def drawn(simulation: Simulation, seed: int = 13, **settings: object) -> Line:
    given = {"every": ["month"], "weights": WEIGHTS, "sources": 0, **settings}
    return daily_line([simulation.shard], LABELS, IndexSettings.model_validate(given), seed, gold=simulation.gold)


def by_method(line: Line, method: str) -> list[Mapping[str, Estimate]]:
    return [period.methods[method].shares for period in line.periods]  # type: ignore[index]


def errors(line: Line, method: str) -> NDArray[np.float64]:
    """(months, labels)."""
    found = [[shares[label].value for label in LABELS] for shares in by_method(line, method)]
    return np.asarray(np.array(found) - MONTHS)


def held(line: Line, method: str) -> list[bool]:
    """Which intervals hold the truth."""
    return [
        share.low is not None and share.high is not None and share.low <= truth <= share.high
        for shares, month in zip(by_method(line, method), MONTHS, strict=True)
        for share, truth in zip(shares.values(), month, strict=True)
    ]


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("comments") / "0.parquet", seed=1, authors=600, gold_rows=900)


def test_counting_gets_a_shift_wrong_and_the_corrections_get_it_right(simulation: Simulation) -> None:
    line = drawn(simulation)
    for method in ("raw", "means"):
        assert np.abs(errors(line, method)).max() > 0.2
    for method in CORRECTED:
        assert np.abs(errors(line, method)).max() < 0.08
        assert np.sqrt(np.square(errors(line, method)).mean()) < np.sqrt(np.square(errors(line, "raw")).mean()) / 4


def test_the_plan_names_the_estimate_that_is_drawn_and_the_index_follows(simulation: Simulation) -> None:
    for method in ("raw", "em"):
        line = drawn(simulation, prevalence=method)
        assert line.choice.drawn == method
        for period in line.periods:
            figures = period.methods[line.choice.drawn]
            assert period.shares == figures.shares
            assert period.index == figures.index
            assert period.index is not None
            joy, anger = figures.shares["joy"].value, figures.shares["anger"].value
            assert period.index.value == pytest.approx(50 + 50 * (joy - anger))


def test_the_prediction_powered_total_is_right_even_with_gold_drawn_unevenly(simulation: Simulation) -> None:
    """Gold with twice as much of what the model calls joy, and weights that say so."""
    rng, gold = np.random.default_rng(2), simulation.gold
    is_joy = gold.probabilities.argmax(axis=1) == 2
    kept = np.flatnonzero(is_joy | (rng.random(len(gold)) < 0.5))
    uneven = replace(
        gold,
        truth=gold.truth[kept],
        probabilities=gold.probabilities[kept],
        weights=np.where(is_joy[kept], 1.0, 2.0),
    )
    total = drawn(Simulation(simulation.shard, uneven)).overall.methods["ppi"].shares
    truth = MONTHS.mean(axis=0)  # the months are of about equal size
    assert [total[label].value for label in LABELS] == pytest.approx(truth, abs=0.06)
    forgotten = (
        drawn(Simulation(simulation.shard, replace(uneven, weights=np.ones(len(kept))))).overall.methods["ppi"].shares
    )
    assert abs(forgotten["joy"].value - truth[2]) > abs(total["joy"].value - truth[2])


def coverage(folder: Path, worlds: int) -> dict[str, float]:
    found: dict[str, list[bool]] = {method: [] for method in ("raw", *CORRECTED)}
    for seed in range(worlds):
        line = drawn(simulate(folder / "simulation.parquet", 1_000 + seed), seed)
        for method in found:
            found[method] += held(line, method)
    return {method: float(np.mean(truths)) for method, truths in found.items()}


def test_intervals_of_the_corrections_hold_the_truth_and_those_of_counts_do_not(tmp_path: Path) -> None:
    found = coverage(tmp_path, 8)  # 72 intervals a method
    assert found["raw"] < 0.2
    assert all(found[method] > 0.86 for method in CORRECTED), found


@pytest.mark.slow
def test_coverage_is_near_nominal_over_200_simulated_worlds(tmp_path: Path) -> None:
    found = coverage(tmp_path, 200)  # 1,800 intervals a method: a standard error of 0.5 to 1 points
    assert found["raw"] < 0.1
    assert all(0.915 <= found[method] <= 0.985 for method in CORRECTED), found
