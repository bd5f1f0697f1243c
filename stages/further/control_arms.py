"""The arms that stage two is compared with: each source of labels alone, both, and the same without adapting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.results.study_results import StudySummary

Predictions = dict[tuple[str, int], dict[str, NDArray[np.float32]]]
ORIGINAL, PSEUDO, BOTH = "original data only", "pseudo-labels only", "both"
# Where the plan adapts to the comments' language: the same without it, and what it gives stage one's recipe alone.
UNADAPTED = f"{BOTH}, not adapted"
FIRST_ADAPTED, FIRST_UNADAPTED = "stage one's recipe, adapted", "stage one's recipe, not adapted"
ARMS = (ORIGINAL, PSEUDO, BOTH, UNADAPTED, FIRST_ADAPTED, FIRST_UNADAPTED)


@dataclass(frozen=True)
class Arm:
    """One way of training that is compared. name: one of ARMS. settings: parameters that differ from the selected
    trial's."""

    name: str
    settings: Mapping[str, Any]


SOURCES = (Arm(ORIGINAL, {"mixture": "original"}), Arm(PSEUDO, {"mixture": "pseudo"}))
WHOLE = (*SOURCES, Arm(BOTH, {"mixture": "both"}))


@dataclass(frozen=True)
class Controls:
    """The controls of one selected trial. predictions: by arm and seed, from 1, probabilities (N, K) by evaluation set,
    of those fits that came to an end."""

    study: StudySummary
    predictions: Predictions

    def runs(self, arm: str, split: str) -> list[NDArray[np.float32]]:
        """An arm's probabilities on a split, in the order of the seeds."""
        return [found[split] for (name, _), found in sorted(self.predictions.items()) if name == arm]

    def seeds(self, arm: str) -> list[int]:
        """The seeds of an arm that came to an end."""
        return sorted(seed for name, seed in self.predictions if name == arm)
