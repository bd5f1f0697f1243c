"""What stage two and the final choice are judged by: macro-F1 on the target, less what the original data loses."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.evaluate import DIRECTIONS, MetricName, figure

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Yardstick:
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
            found = figure(self.metric, on_validation, self.validation)
            return found * (1 if DIRECTIONS[self.metric] == "maximize" else -1)
        kept = figure("macro_f1", on_validation, self.validation)
        reached = figure("macro_f1", probabilities["target"], self.target)
        return reached - max(self.floor - kept, 0.0)
