"""The configuration of a study: its space, budget and algorithms; the same for all of its workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from studies.sampling.algorithm_names import PrunerName, SamplerName
from studies.sampling.enumerated_trials import EnumeratedTrial
from studies.space.dimensions import Space, most_epochs


@dataclass(frozen=True)
class StudyConfig:
    """A study to be run: the same for all its workers.

    trials: complete and pruned ones in all. baseline: parameters of trial 0, moved into the space where they lie
    outside of it. keep: how many trials' weights stay on disk, 0 for none. queue: the trials in place of a sampler's,
    as many as `trials`; None where they are sampled. The baseline is then tried only if it stands there. seeds: how
    many each trial is averaged over. timeout: seconds after which a run of it begins no new trial; None: no limit.
    """

    name: str
    direction: Literal["maximize", "minimize"]
    metric: str
    space: Space
    baseline: Mapping[str, Any]
    trials: int
    seed: int
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    keep: int = 3
    seeds: int = 1
    timeout: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    queue: Sequence[EnumeratedTrial | None] | None = None

    @property
    def most_steps(self) -> int:
        """The most that a trial reports for its pruner: epochs, or seeds where it has several."""
        return self.seeds if self.seeds > 1 else most_epochs(self.space, int(self.baseline.get("epochs", 1)))
