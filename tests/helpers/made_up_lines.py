"""Lines of a made-up index, without comments behind them."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from stages.monitor.schema.calendar import all_starts, next_start
from stages.monitor.schema.index_settings import Every, IndexSettings
from stages.monitor.schema.line import Estimate, Figures, Line, Period, Removed, Total
from stages.monitor.schema.method_choice import choose_method

LABELS = ("joy", "anger")


def line_of(index: Sequence[float | None], every: Every = "day", **settings: object) -> Line:
    """A line whose index takes these values from 2020-01-01 on, None for gaps; joy weighs 1, anger -1."""
    given = IndexSettings.model_validate({"weights": {"joy": 1, "anger": -1}, "every": [every], **settings})
    first = np.datetime64("2020-01-01")
    starts = all_starts(first, first + 32 * len(index), every)[: len(index)]
    periods = tuple(_period(every, start.item(), value) for start, value in zip(starts, index, strict=True))
    total = Total("all", 100 * len(index), 50, {})
    return Line(
        labels=LABELS,
        settings=given,
        periods=periods,
        first=starts[0].item(),
        last=date.fromisoformat(str(next_start(starts[-1], every) - 1)),
        n=total.n,
        undated=0,
        counts=dict.fromkeys(LABELS, 50 * len(index)),
        clustered={"author": total.n, "source": 0, "comment": 0},
        choice=choose_method(given, None, LABELS),
        gold=None,
        overall=total,
        sources=(),
        removed=Removed({}, dict.fromkeys(LABELS, 0), True),
    )


def _period(every: Every, start: date, value: float | None) -> Period:
    if value is None:
        nothing = dict.fromkeys(LABELS)
        return Period(every, start, 3, 3, 3, nothing, nothing, None, {})
    joy = value / 100
    shares = {"joy": Estimate(joy, None, None), "anger": Estimate(1 - joy, None, None)}
    index = Estimate(value, value - 1, value + 1)
    means = {"joy": joy, "anger": 1 - joy}
    return Period(every, start, 100, 50, 50, shares, means, index, {"raw": Figures(shares, index)})


def noise(n: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=n)
