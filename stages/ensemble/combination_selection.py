"""Which combination of the kept models: each is scored fairly, on the data that selects, and the best is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stages.plan.plan_settings import EnsembleSettings
from stages.results.ensemble_result import CombinationScores, SplitScores
from stages.results.stage_result import Interval
from stages.runtime.predictor import Floats
from stages.study_runs.selection_metric import SelectionMetric
from transfer.ensembling.combination import COMBINATIONS, FITTED, Combination, Mixture
from transfer.ensembling.fit_weights import Rows, cross_fitted, fit_mixture
from transfer.errors import UserError
from transfer.metrics.bootstrap import confusion_intervals
from transfer.metrics.scores import Ints, confusion_of

FEWEST = 20  # rows that a mixture is fitted on; of fewer it would learn chance
CALIBRATED = ", calibrated"


@dataclass(frozen=True)
class KeptModels:
    """The kept models on the splits that select: "validation", and "target" where there is one.

    values: of the selection metric by model, the best first. predictions: by model and split, (N, K). truth: by split,
    (N,).
    """

    values: Mapping[str, float]
    predictions: Mapping[str, Mapping[str, Floats]]
    truth: Mapping[str, Ints]
    selection_metric: SelectionMetric

    @property
    def names(self) -> list[str]:
        """The models, the best first."""
        return list(self.values)

    @property
    def splits(self) -> list[str]:
        """The splits, validation first: rows are numbered through them in this order."""
        return [split for split in ("validation", "target") if split in self.truth]

    @property
    def probabilities(self) -> list[Floats]:
        """Each model's probabilities on the rows of all splits, (N, K)."""
        return [np.concatenate([self.predictions[name][split] for split in self.splits]) for name in self.names]

    def by_split(self, probabilities: Floats) -> dict[str, Floats]:
        """Rows of all splits, (N, K), by split again."""
        ends = np.cumsum([len(self.truth[split]) for split in self.splits])[:-1]
        return dict(zip(self.splits, np.split(probabilities, ends), strict=True))

    def rows(self) -> Rows:
        """What a mixture is fitted on. Every split has the same weight in all: gold is small, and matters most."""
        truth = np.concatenate([self.truth[split] for split in self.splits])
        sizes = [len(self.truth[split]) for split in self.splits]
        mass = np.concatenate([np.full(n, len(truth) / len(sizes) / n) for n in sizes])
        return Rows(truth, mass, self._objective)

    def _objective(self, probabilities: NDArray[np.floating], at: Ints) -> float:
        n = len(self.truth["validation"])
        own = at < n
        target = self.truth["target"][at[~own] - n] if "target" in self.truth else None
        part = replace(self.selection_metric, validation=self.truth["validation"][at[own]], target=target)
        return part.value({"validation": probabilities[own], "target": probabilities[~own]})


@dataclass(frozen=True)
class ScoredCombination:
    """One combination. members: names of those that it uses. mixture: fitted on all rows. scores: cross-fitted where
    something is fitted."""

    members: list[str]
    mixture: Mixture
    scores: CombinationScores

    @property
    def alone(self) -> str | None:
        """The one model that it came down to, whose labels it leaves as they are; stacking may change them."""
        return self.members[0] if len(self.members) == 1 and self.mixture.how != "stacking" else None


def score_combinations(models: KeptModels, settings: EnsembleSettings, seed: int) -> list[ScoredCombination]:
    """Every combination, with and without calibrated members, the plainest first.

    Those that are fitted on labelled rows are left out where there are fewer than FEWEST.
    """
    from threadpoolctl import threadpool_limits

    probabilities, rows = models.probabilities, models.rows()
    enough = len(rows.truth) >= FEWEST
    kinds = [(how, calibrated) for calibrated in (False, True) for how in (*COMBINATIONS, *FITTED)]
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other
        return [
            _scored(models, how, calibrated, probabilities, rows, settings.top, seed)
            for how, calibrated in kinds
            if enough or (how in COMBINATIONS and not calibrated)
        ]


def _scored(
    models: KeptModels,
    how: Combination,
    calibrated: bool,
    probabilities: Sequence[Floats],
    rows: Rows,
    top: int,
    seed: int,
) -> ScoredCombination:
    combined = models.by_split(cross_fitted(how, probabilities, rows, top=top, calibrated=calibrated, seed=seed))
    fitted = fit_mixture(how, probabilities, rows, top=top, calibrated=calibrated)
    members = [models.names[m] for m in fitted.members]
    scores = CombinationScores(
        combination=how + CALIBRATED * calibrated,
        members=len(members),
        value=models.selection_metric.value(combined),
        interval=Interval.model_validate(models.selection_metric.interval(combined)),
        fitted=how in FITTED or calibrated,
        weights=dict(zip(members, fitted.mixture.weights, strict=False)),  # of an unfitted rule there are none
        figures={split: split_scores(combined[split], models.truth[split]) for split in models.splits},
    )
    return ScoredCombination(members, fitted.mixture, scores)


def select_combination(table: Sequence[ScoredCombination], settings: EnsembleSettings) -> ScoredCombination:
    """The combination that the plan names; of what `auto` leaves open the best by value, of equals the plainest.

    Raises UserError for a combination that could not be fitted.
    """
    eligible = [combination for combination in table if _is_eligible(combination, settings)]
    if not eligible:
        raise UserError(
            f"ensemble.combine: {settings.combine} with calibrate: {settings.calibrate} is fitted on labelled rows, "
            f"and validation has fewer than {FEWEST}",
            "name mean, product, maximum or minimum without calibration, or give validation more rows",
        )
    return max(eligible, key=lambda combination: combination.scores.value)


def _is_eligible(combination: ScoredCombination, settings: EnsembleSettings) -> bool:
    calibrated = {"none": {False}, "temperature": {True}, "auto": {False, True}}[settings.calibrate]
    is_calibrated = combination.scores.combination.endswith(CALIBRATED)
    return settings.combine in {"auto", combination.mixture.how} and is_calibrated in calibrated


def split_scores(probabilities: Floats, truth: Ints) -> SplitScores:
    """Accuracy and macro-F1 with their 95 % bootstrap intervals. probabilities: (N, K). truth: (N,)."""
    found = confusion_intervals(confusion_of(probabilities, truth))
    accuracy, macro_f1 = (Interval.model_validate(found[name]) for name in ("accuracy", "macro_f1"))
    intervals = {"accuracy": accuracy, "macro_f1": macro_f1}
    return SplitScores(accuracy=accuracy.value, macro_f1=macro_f1.value, intervals=intervals)
