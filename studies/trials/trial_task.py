"""What all trials of a study share, and the protocol of what follows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from storage.files.file_store import FileStore
from studies.space.dimensions import Space
from transfer.encoders.tokenization import Tokens
from transfer.training.oom_recovery import GradientCheckpointing
from transfer.training.recipe import Examples

if TYPE_CHECKING:
    from optuna import Trial
    from transformers import PreTrainedTokenizerBase

    from studies.trials.trial_result import TrialResult

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled texts that a model is evaluated on. truth: (N,) int64."""

    tokens: Tokens
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class TrialTask:
    """What all trials of a study share.

    start: hub name or folder of the weights to begin with. examples: training data for a trial's parameters and seed
    (stage two mixes them for each). exams: evaluation sets by name; "validation" is always there. value: what is
    optimised, from the probabilities on them. lineage: what made this study, kept with every model. seeds: how many
    times a trial fine-tunes; its value is the mean. token_budget: padded tokens at a time, None for the device's
    default. time_limit: seconds of training that a trial may take, all resumes together. starts: other weights to begin
    with, by the trial's parameter `start`. patience: epochs without a better value after which a fine-tune ends, None
    for no such end. keeps_answers: whether the probabilities of the kept epoch are published for every trial, under
    `answers_name`. called: what stands for the candidate in the names of kept models, itself by default.
    """

    start: str
    labels: Sequence[str]
    tokenizer: "PreTrainedTokenizerBase"
    space: Space
    seed: int
    examples: Callable[[Mapping[str, Any], int], Examples]
    exams: Mapping[str, EvaluationSet]
    value: Callable[[Mapping[str, Probabilities]], float]
    stage: str
    plan: str
    candidate: str
    lineage: Mapping[str, Any]
    seeds: int = 1
    token_budget: int | None = None
    gradient_checkpointing: GradientCheckpointing = "auto"
    time_limit: float | None = None
    starts: Mapping[int, str] = field(default_factory=dict)
    patience: int | None = None
    keeps_answers: bool = False
    called: str = ""

    def start_of(self, params: Mapping[str, Any]) -> str:
        """The weights that a trial with these parameters begins with."""
        return self.starts.get(params.get("start", 0), self.start)


class Watcher(Protocol):
    """Follows a trial: the command line shows its progress, and the dashboard what it came to."""

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        """A trial begins, with so many examples an epoch. Returns what is called with the number of examples done."""

    def epoch(self, number: int, epoch: int, value: float) -> None:
        """An epoch of a trial was evaluated."""

    def result(self, trial: "Trial", files: FileStore, result: "TrialResult") -> None:
        """A trial is at its end, and the study does not know it yet; called again after a kill at that point.

        Attaches the trial's figures and attributes to it. Raises StoreError where a file cannot be written.
        """

    def note(self, number: int, text: str) -> None:
        """Something happened to a trial that its user should know."""
