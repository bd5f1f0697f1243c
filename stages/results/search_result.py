"""What stage one comes to."""

from typing import ClassVar

from stages.results.model_scores import ModelScores
from stages.results.study_results import MeasuredWinner, StudiesResult


class SearchResult(StudiesResult):
    """A study for each candidate, with those that fit its best again, and the winner among all.

    rows: references, untuned baselines and chosen trials on validation; a worker that joined has none.
    """

    stage: ClassVar[str] = "search"

    winner: MeasuredWinner
    rows: list[ModelScores]
