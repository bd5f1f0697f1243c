"""What stage two and the final model are selected by: macro-F1 on the target, less what the original data loses."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.bootstrap import RESAMPLING_SEED, confusion_figures, interval, intervals, resampled_confusions
from transfer.metrics.scores import DIRECTIONS, MetricName, confusion_of, metric_value

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class SelectionMetric:
    """How good probabilities are, as one number to maximise.

    target: true labels of gold's tune half, or pseudo-labels held out where there is no gold; None where there are
    no comments: then it is `metric` on validation alone, negative where less is better. floor: the validation
    macro-F1 of stage one's winner less the plan's tolerance; what falls below it is taken off.
    """

    labels: tuple[str, ...]
    validation: NDArray[np.int64]
    target: NDArray[np.int64] | None
    floor: float
    metric: MetricName = "macro_f1"

    def value(self, probabilities: Mapping[str, Floats]) -> float:
        """Of probabilities (N, K) on "validation" and, where there is one, on "target"."""
        on_validation = probabilities["validation"]
        if self.target is None:
            found = metric_value(self.metric, on_validation, self.validation)
            return found * (1 if DIRECTIONS[self.metric] == "maximize" else -1)
        kept = metric_value("macro_f1", on_validation, self.validation)
        reached = metric_value("macro_f1", probabilities["target"], self.target)
        return reached - max(self.floor - kept, 0.0)

    def interval(self, probabilities: Mapping[str, Floats]) -> dict[str, float]:
        """The value with the `low` and `high` end of its 95 % bootstrap interval; each split is resampled by itself.

        It has the sample's uncertainty, and not that the best of many was selected by this very figure.
        """
        on_validation = probabilities["validation"]
        if self.target is None:
            found: dict[str, float] = intervals(on_validation, self.validation, self.labels, seed=RESAMPLING_SEED)[
                self.metric
            ]
            ends = (-found["high"], -found["low"]) if DIRECTIONS[self.metric] == "minimize" else None
            return {"value": -found["value"], "low": ends[0], "high": ends[1]} if ends else found
        kept = confusion_figures(resampled_confusions(confusion_of(on_validation, self.validation), RESAMPLING_SEED))[
            "macro_f1"
        ]
        # other resamples than validation's, for the two are other texts
        reached = confusion_figures(
            resampled_confusions(confusion_of(probabilities["target"], self.target), RESAMPLING_SEED + 1)
        )["macro_f1"]
        return interval(self.value(probabilities), reached - np.maximum(self.floor - kept, 0.0))
