"""Gold rows with the model's predictions for them; which corrections they allow, and which estimate is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.monitor.schema.index_settings import IndexSettings, Method

COUNTED: tuple[Method, ...] = ("raw", "means")  # need no gold rows
ADJUSTED: tuple[Method, ...] = ("acc", "pacc", "em")  # need gold rows of each label


@dataclass(frozen=True, eq=False)
class GoldPredictions:
    """N rows that people labelled and that trained nothing, with the predictions of the model that classified the
    comments.

    kind: gold's report half, or the original validation split. truth: (N,) int64 in [0, K). probabilities: (N, K)
    float64, rows sum to 1. weights: (N,) float64, 1 / inclusion probability, all 1 where unknown.
    is_random: whether each comment could come into the sample, with a probability that is known up to a factor.
    """

    kind: Literal["gold", "validation"]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_random: bool

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Fallback:
    """Why raw counts are drawn, and not the plan's estimate. label, rows: the label with the fewest gold rows, and
    their number."""

    reason: Literal["no_gold", "gold_not_random", "too_few_gold_rows"]
    label: str
    rows: int


@dataclass(frozen=True)
class MethodChoice:
    """drawn: the estimate drawn bold. methods: all that can be given, in a fixed order. fallback: where `drawn` is not
    the plan's. gold_rows: rows behind the corrections, by label."""

    drawn: Method
    methods: tuple[Method, ...]
    fallback: Fallback | None
    gold_rows: dict[str, int]


def choose_method(settings: IndexSettings, gold: GoldPredictions | None, labels: Sequence[str]) -> MethodChoice:
    """Which estimates the gold rows allow, and which is drawn bold: the plan's, or raw where it cannot be given."""
    counts = [0] * len(labels) if gold is None else np.bincount(gold.truth, minlength=len(labels)).tolist()
    rows = dict(zip(labels, counts, strict=True))
    methods = list(COUNTED)
    if min(counts) >= settings.min_gold:
        methods += ADJUSTED
    if gold is not None and gold.is_random and len(gold) >= settings.min_gold * len(labels):
        methods.append("ppi")
    if settings.prevalence in methods:
        return MethodChoice(settings.prevalence, tuple(methods), None, rows)
    return MethodChoice("raw", tuple(methods), _fallback(settings, gold, rows), rows)


def _fallback(settings: IndexSettings, gold: GoldPredictions | None, rows: dict[str, int]) -> Fallback:
    rarest = min(rows, key=lambda label: rows[label])
    if gold is None:
        return Fallback("no_gold", rarest, rows[rarest])
    if settings.prevalence == "ppi" and not gold.is_random:
        return Fallback("gold_not_random", rarest, rows[rarest])
    return Fallback("too_few_gold_rows", rarest, rows[rarest])
