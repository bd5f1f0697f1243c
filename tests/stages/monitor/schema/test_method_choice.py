"""Which correction a line is drawn by, and when it falls back to counts."""

from dataclasses import replace

import numpy as np
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.report.notes import method_reason
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from stages.monitor.schema.method_choice import GoldPredictions
from tests.helpers.shifting_emotions import LABELS, Simulation, simulate

CORRECTED = ("acc", "pacc", "em")

WEIGHTS = {"anger": -1.0, "neutral": 0.0, "joy": 1.0}


def drawn(simulation: Simulation, seed: int = 13, **settings: object) -> Line:
    given = {"every": ["month"], "weights": WEIGHTS, "sources": 0, **settings}
    return daily_line([simulation.shard], LABELS, IndexSettings.model_validate(given), seed, gold=simulation.gold)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("comments") / "0.parquet", seed=1, authors=600, gold_rows=900)


def test_without_gold_or_with_too_little_of_it_the_line_falls_back_and_gives_the_reason(simulation: Simulation) -> None:
    for gold, words in ((None, "the plan has none"), (few_of(simulation, "joy"), "there are 3 of 'joy'")):
        settings = IndexSettings(every=["month"], prevalence="em")
        line = daily_line([simulation.shard], LABELS, settings, 13, gold=gold)
        assert line.choice.drawn == "raw"
        assert words in method_reason(line).en
        assert "em" not in line.choice.methods


def test_prediction_powered_needs_a_random_sample(simulation: Simulation) -> None:
    line = drawn(Simulation(simulation.shard, replace(simulation.gold, is_random=False)), prevalence="ppi")
    assert line.choice.drawn == "raw"
    assert "drawn at random" in method_reason(line).en
    assert set(CORRECTED) < set(line.choice.methods)


def few_of(simulation: Simulation, label: str) -> GoldPredictions:
    gold, rare = simulation.gold, LABELS.index(label)
    kept = np.flatnonzero(gold.truth != rare).tolist() + np.flatnonzero(gold.truth == rare)[:3].tolist()
    return replace(gold, truth=gold.truth[kept], probabilities=gold.probabilities[kept], weights=np.ones(len(kept)))
