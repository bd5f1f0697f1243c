"""Which combination of the kept models: all of them in one table, fairly, on the data that chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.plan.plan_settings import EnsembleSettings
from stages.study_runs.selection_metric import SelectionMetric
from transfer.ensembling.combination import COMBINATIONS, FITTED, Combination, Mixture
from transfer.ensembling.fit_weights import Rows, cross_fitted, fit_mixture
from transfer.errors import UserError
from transfer.metrics.bootstrap import confusion_intervals
from transfer.metrics.scores import confusion_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
FEWEST = 20  # rows that a mixture is fitted on; of fewer it would learn chance
CALIBRATED = ", calibrated"


@dataclass(frozen=True)
class Bench:
    """Where combinations are compared: on "validation", and on "target" where there is one.

    names: the models, the best first. seen: by model and split, (N, K). truth: by split, (N,).
    """

    names: list[str]
    seen: Mapping[str, Mapping[str, Floats]]
    truth: Mapping[str, Ints]
    yardstick: SelectionMetric

    @property
    def splits(self) -> list[str]:
        """The splits, validation first: rows are numbered through them in this order."""
        return [split for split in ("validation", "target") if split in self.truth]

    @property
    def offered(self) -> list[Floats]:
        """Each model's probabilities, (N, K), all splits below each other."""
        return [np.concatenate([self.seen[name][split] for split in self.splits]) for name in self.names]

    def parted(self, probabilities: Floats) -> dict[str, Floats]:
        """Rows of all splits, (N, K), by split again."""
        cuts = np.cumsum([len(self.truth[split]) for split in self.splits])[:-1]
        return dict(zip(self.splits, np.split(probabilities, cuts), strict=True))

    def rows(self) -> Rows:
        """What a mixture is fitted on. Every split counts for the same in all: gold is small, and is what matters."""
        truth = np.concatenate([self.truth[split] for split in self.splits])
        sizes = [len(self.truth[split]) for split in self.splits]
        mass = np.concatenate([np.full(n, len(truth) / len(sizes) / n) for n in sizes])
        return Rows(truth, mass, self._objective)

    def _objective(self, probabilities: Any, at: Ints) -> float:
        n = len(self.truth["validation"])
        own = at < n
        target = self.truth["target"][at[~own] - n] if "target" in self.truth else None
        part = replace(self.yardstick, validation=self.truth["validation"][at[own]], target=target)
        return part.value({"validation": probabilities[own], "target": probabilities[~own]})


@dataclass(frozen=True)
class Combined:
    """One line of the table. members: names of those that are used. value: the yardstick's.

    fitted: whether something in it was learnt from these rows; its figures then are cross-fitted. mixture: fitted on
    all of the rows.
    """

    name: str
    members: list[str]
    mixture: Mixture
    fitted: bool
    value: float
    interval: Mapping[str, float]  # of the value
    figures: Mapping[str, Mapping[str, Any]]  # by split

    @property
    def alone(self) -> str | None:
        """The one model that it came down to, whose labels it leaves as they are; stacking may change them."""
        return self.members[0] if len(self.members) == 1 and self.mixture.how != "stacking" else None


def compare(bench: Bench, settings: EnsembleSettings, seed: int) -> list[Combined]:
    """Every combination, with and without calibrated members, the plainest first.

    Those that learn from labelled rows are left out where there are fewer than FEWEST.
    """
    from threadpoolctl import threadpool_limits

    offered, rows = bench.offered, bench.rows()
    enough = len(rows.truth) >= FEWEST
    kinds = [(how, calibrated) for calibrated in (False, True) for how in (*COMBINATIONS, *FITTED)]
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other
        return [
            _combined(bench, how, calibrated, offered, rows, settings.top, seed)
            for how, calibrated in kinds
            if enough or (how in COMBINATIONS and not calibrated)
        ]


def _combined(
    bench: Bench, how: Combination, calibrated: bool, offered: Sequence[Floats], rows: Rows, top: int, seed: int
) -> Combined:
    judged = bench.parted(cross_fitted(how, offered, rows, top=top, calibrated=calibrated, seed=seed))
    found = fit_mixture(how, offered, rows, top=top, calibrated=calibrated)
    return Combined(
        name=how + CALIBRATED * calibrated,
        members=[bench.names[m] for m in found.members],
        mixture=found.mixture,
        fitted=how in FITTED or calibrated,
        value=bench.yardstick.value(judged),
        interval=bench.yardstick.interval(judged),
        figures={split: figures_of(judged[split], bench.truth[split]) for split in bench.splits},
    )


def chosen_of(table: Sequence[Combined], settings: EnsembleSettings) -> Combined:
    """What the plan names; of what `auto` leaves open the best by value, of equals the plainest.

    Raises UserError for a combination that could not be fitted.
    """
    fitting = [line for line in table if _fits(line, settings)]
    if not fitting:
        raise UserError(
            f"ensemble.combine: {settings.combine} with calibrate: {settings.calibrate} is fitted on labelled rows, "
            f"and validation has fewer than {FEWEST}",
            "name mean, product, maximum or minimum without calibration, or give validation more rows",
        )
    return max(fitting, key=lambda line: line.value)


def _fits(line: Combined, settings: EnsembleSettings) -> bool:
    calibrated = {"none": {False}, "temperature": {True}, "auto": {False, True}}[settings.calibrate]
    return settings.combine in {"auto", line.mixture.how} and line.name.endswith(CALIBRATED) in calibrated


def figures_of(probabilities: Floats, truth: Ints) -> dict[str, Any]:
    """Accuracy and macro-F1, and under `intervals` their 95 % bootstrap intervals."""
    found = confusion_intervals(confusion_of(probabilities, truth))
    names = ("accuracy", "macro_f1")
    return {**{name: found[name]["value"] for name in names}, "intervals": {name: found[name] for name in names}}
