"""Simulated comments whose labels are known: emotions shift from month to month, a classifier leans one way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from stages.monitor.schema.method_choice import GoldPredictions

LABELS = ("anger", "neutral", "joy")
# shares of the months: what is rare in the first is common in the last
MONTHS = np.array([[0.60, 0.30, 0.10], [0.35, 0.35, 0.30], [0.10, 0.30, 0.60]])
BIAS = np.array([0.0, 1.1, -0.6])  # the classifier likes "neutral" and misses "joy"
EVIDENCE = 1.7  # how far the right label's score stands out; some 70 % are then right


@dataclass(frozen=True)
class Simulation:
    shard: Path
    gold: GoldPredictions


def simulate(path: Path, seed: int, authors: int = 300, gold_rows: int = 200) -> Simulation:
    """Comments of three months by `authors` a month who each lean their own way, 1 to 8 comments each; and a gold
    sample drawn at random from all of them."""
    rng = np.random.default_rng(seed)
    truth, month, author = [], [], []
    for m, shares in enumerate(MONTHS):
        leanings = rng.dirichlet(4 * shares, authors)
        written = rng.integers(1, 9, authors)
        for a, (leaning, n) in enumerate(zip(leanings, written, strict=True)):
            truth.append(rng.choice(len(LABELS), n, p=leaning))
            month.append(np.full(n, m))
            author.append(np.full(n, m * authors + a))
    labels, months, authors_of = (np.concatenate(parts) for parts in (truth, month, author))
    probabilities = _predictions(labels, rng)
    sampled = rng.choice(len(labels), gold_rows, replace=False)
    gold = GoldPredictions("gold", labels[sampled], probabilities[sampled], np.ones(gold_rows), True)
    _write(path, probabilities, months, authors_of, rng)
    return Simulation(path, gold)


def _predictions(truth: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    scores = rng.normal(size=(len(truth), len(LABELS))) + BIAS
    scores[np.arange(len(truth)), truth] += EVIDENCE
    odds = np.exp(1.5 * scores)  # too sure of itself, as fine-tuned models are
    return np.asarray((odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), np.float64)


def _write(
    path: Path,
    probabilities: NDArray[np.float64],
    months: NDArray[np.int64],
    authors: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    start = [datetime(2024, 1 + m, 1, tzinfo=UTC) for m in range(len(MONTHS))]
    seconds = rng.integers(0, 28 * 86_400, len(months))
    columns = {
        "id": [f"c{i}" for i in range(len(months))],
        "time": pa.array([start[m] + timedelta(seconds=int(s)) for m, s in zip(months, seconds, strict=True)]),
        "author": [f"a{a}" for a in authors],
        "source": [f"v{a % 5}" for a in authors],
        "label": [LABELS[k] for k in probabilities.argmax(axis=1)],
    }
    columns |= {f"p_{label}": pa.array(probabilities[:, k], pa.float32()) for k, label in enumerate(LABELS)}
    pq.write_table(pa.table(columns), path)


def corrected_line(simulation: Simulation, **settings: object) -> Line:
    weights = {"anger": -1, "neutral": 0, "joy": 1}
    given = IndexSettings.model_validate({"every": ["month"], "weights": weights, **settings})
    return daily_line([simulation.shard], LABELS, given, 13, gold=simulation.gold)
