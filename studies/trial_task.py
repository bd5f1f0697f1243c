"""What all trials of a study share, and who watches them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from studies.space.dimensions import Space
from transfer.encoders.tokenization import Tokens
from transfer.training.oom_recovery import GradientCheckpointing
from transfer.training.recipe import Examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled texts that a model is judged on. truth: (N,) int64."""

    tokens: Tokens
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class TrialTask:
    """What all trials of a study share.

    start: hub name or folder of the weights to begin with. examples: training data for a trial's parameters and seed
    (stage two mixes them anew for each). exams: by name; "validation" is always there. value: what is optimised, from
    the exams' probabilities. lineage: what made this study, kept beside every model. seeds: how many times a trial
    fine-tunes; its value is the mean. token_budget: padded tokens at a time, None for the device's default.
    time_limit: seconds of training that a trial may take, all resumes together. starts: other weights to begin with,
    by the trial's parameter `start`. patience: epochs without a better value after which a fine-tune ends, None for
    no such end. keeps_answers: whether the exams' probabilities of the kept epoch are published for every trial, under
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
    """Hears how a trial goes on; the command line draws it."""

    def trial(self, number: int, epochs: int, examples: int) -> Callable[[int], None]:
        """A trial begins, with so many examples an epoch; what is returned hears of examples done."""

    def epoch(self, number: int, epoch: int, value: float) -> None:
        """An epoch of a trial was judged."""

    def note(self, number: int, text: str) -> None:
        """Something happened to a trial that its user should know."""
