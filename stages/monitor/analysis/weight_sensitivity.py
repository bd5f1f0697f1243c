"""How much the index depends on its weights: what it would be with weights a little different from the plan's."""

from dataclasses import dataclass

import numpy as np

from stages.monitor.schema.emotion_index import index_of
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line, headline, periods_of

OFF = 0.25  # of the largest |weight|: how far each weight is moved at most
DRAWS = 500
LEAST_PERIODS = 5


@dataclass(frozen=True)
class Sensitivity:
    """every: the length of period looked at. points: by how many points of the index a period moves, the 95th
    percentile over draws and periods. correlation: with the plan's index over time, the 5th percentile over draws.
    same_way: the share of steps from period to period that go the same way.
    """

    every: Every
    points: float
    correlation: float
    same_way: float


def sensitivity(line: Line, seed: int = 0) -> Sensitivity | None:
    """Draws weights around the plan's, each moved evenly by up to OFF of the largest; None without an index, or where
    it is constant or has too few periods."""
    every = headline(line)
    shares = np.array(
        [[share.value for share in p.shares.values() if share] for p in periods_of(line, every) if not p.is_gap]
    ).T  # (K, P)
    if line.settings.weights is None or shares.size == 0 or shares.shape[1] < LEAST_PERIODS:
        return None
    plan = index_of(shares, line.settings.weights, line.labels)
    if plan.std() == 0:
        return None
    weights = np.array([line.settings.weights[label] for label in line.labels])
    largest = np.abs(weights).max()
    moved = weights + OFF * largest * np.random.default_rng(seed).uniform(-1, 1, (DRAWS, len(weights)))
    moved /= np.abs(moved).max(axis=1, keepdims=True)
    others = 50 + 50 * moved @ shares  # (DRAWS, P)
    correlations = [np.corrcoef(plan, other)[0, 1] for other in others]
    same = np.sign(np.diff(others, axis=1)) == np.sign(np.diff(plan))
    return Sensitivity(
        every=every,
        points=float(np.percentile(np.abs(others - plan), 95)),
        correlation=float(np.percentile(correlations, 5)),
        same_way=float(same.mean()),
    )
