"""How far a trial is: every evaluated epoch of each of its seeds. All else follows from these."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One evaluated epoch.

    seed: which of the trial's, from 0. number: within its seed, from 1. loss: mean in training, nats. value: what the
    study optimises. learning_rate: the head's, at the epoch's end. seconds: of training and evaluation.
    validation_loss: mean on the validation split, nats; None of a trial by an older version.
    """

    seed: int
    number: int
    loss: float
    value: float
    learning_rate: float
    seconds: float
    validation_loss: float | None = None


@dataclass
class LearningCurve:
    """A trial's epochs so far, and whether it ends here. Its checkpoint keeps them as notes.

    maximize: the study's direction. seed: which of the trial's seeds is at work, from 0. spent: seconds on the epoch
    that was begun and is not evaluated yet. is_pruned: stopped before its last epoch; reason: why, where it was not the
    pruner.
    """

    maximize: bool
    epochs: list[Epoch] = field(default_factory=list)
    seed: int = 0
    spent: float = 0.0
    is_pruned: bool = False
    reason: str | None = None

    def best(self, seed: int | None = None) -> Epoch:
        """The best epoch of a seed, or of all; the earliest of equals."""
        sign = 1.0 if self.maximize else -1.0
        return max((epoch for epoch in self.epochs if seed in {None, epoch.seed}), key=lambda epoch: sign * epoch.value)

    def evaluated(self, seed: int) -> int:
        """How many epochs of a seed were evaluated."""
        return sum(epoch.seed == seed for epoch in self.epochs)

    @property
    def values(self) -> list[float]:
        """The best value of each seed that was evaluated."""
        return [self.best(seed).value for seed in sorted({epoch.seed for epoch in self.epochs})]

    @property
    def value(self) -> float:
        """What the trial is worth: the mean over its seeds."""
        return fmean(self.values)

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds, as a sample's; None for a single one."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def seconds(self) -> float:
        """Time spent so far; what a kill made to be done twice counts once."""
        return sum(epoch.seconds for epoch in self.epochs) + self.spent

    def is_stale(self, seed: int, patience: int | None) -> bool:
        """Whether the last `patience` epochs of a seed were no better than one before them."""
        epochs = self.evaluated(seed)
        return patience is not None and epochs > 0 and epochs - self.best(seed).number >= patience

    def notes(self) -> dict[str, Any]:
        """As JSON takes it."""
        epochs = [asdict(epoch) for epoch in self.epochs]
        return {"epochs": epochs, "seed": self.seed, "spent": self.spent, "is_pruned": self.is_pruned}

    def resume(self, notes: Mapping[str, Any]) -> None:
        """Continues from what `notes` returned."""
        self.epochs = [Epoch(**epoch) for epoch in notes["epochs"]]
        self.seed, self.spent, self.is_pruned = notes["seed"], notes["spent"], notes["is_pruned"]


def weights_folder(own: Path, epoch: Epoch) -> Path:
    """Where an epoch's weights lie in a trial's own folder.

    Each has a name of its own: weights that a checkpoint does not name yet never stand in the place of those it names.
    """
    return own / f"best-{epoch.seed}-{epoch.number:03d}"
