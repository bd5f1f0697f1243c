"""A trial's result, from which its attributes, figures and kept model are made; and detecting collapsed models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import TrialState

from studies.trials.learning_curve import Epoch
from transfer.errors import UserError
from transfer.metrics.bootstrap import confusion_intervals
from transfer.metrics.scores import Scores

# So many complete trials in a row whose models know one label. Three equal failures stop a search, but a collapse is
# no fault of the machine's: of the sampler's ten random trials each may reach a rate that is too high. Where a third
# of the space collapses, five in a row happen once in 240 times, three once in 27.
COLLAPSED_IN_A_ROW = 5


@dataclass(frozen=True)
class TrialEnd:
    """What a trial came to. value: of its best epoch, the mean over its seeds; also where it was pruned."""

    value: float
    is_pruned: bool


@dataclass(frozen=True)
class TrialResult:
    """A trial at its end, complete or pruned.

    value: the mean of its seeds' best epochs; spread: their standard deviation, None with one seed. curve: all
    evaluated epochs. kept: that whose weights, tokenizer and probabilities lie in `folder`; scores: its, on validation.
    seeds: the random seeds used, kept.seed counts in them. collapsed: the only label that it gives to anything. reason:
    why it was stopped or is of no use. token_budget, recomputes: as the device's memory left them; was_short: whether
    that is less than asked for. settings: the recipe and all else that the space fixed.
    """

    value: float
    spread: float | None
    is_pruned: bool
    reason: str | None
    collapsed: str | None
    curve: tuple[Epoch, ...]
    kept: Epoch
    scores: Scores
    folder: Path
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    token_budget: int
    recomputes: bool
    was_short: bool
    precision: str

    @property
    def seconds(self) -> float:
        """Time spent on all epochs."""
        return sum(epoch.seconds for epoch in self.curve)

    def attributes(self) -> dict[str, Any]:
        """What optuna-dashboard shows as sortable columns; figures are those of the kept weights."""
        scores = self.scores
        found = confusion_intervals(scores.confusion)  # here, so that looking at a study loads no numpy
        figures: dict[str, Any] = {
            **{name: getattr(scores, name) for name in ("accuracy", "macro_f1", "weighted_f1", "log_loss")},
            "best_epoch": self.kept.number,
            "seconds": round(self.seconds, 2),
            "train_loss": self.curve[-1].loss,
            "precision": self.precision,
            **{f"f1 {label}": figure["f1"] for label, figure in scores.per_class.items()},
            "confusion": json.dumps(scores.confusion),
            "intervals": json.dumps({name: found[name] for name in ("accuracy", "macro_f1", "weighted_f1")}),
        }
        if len(self.seeds) > 1:
            figures |= {"spread": self.spread, "kept_seed": self.kept.seed, "kept_value": self.kept.value}
        if self.was_short:
            figures |= {"token_budget": self.token_budget, "gradient_checkpointing": self.recomputes}
        figures |= {"collapsed": self.collapsed, "reason": self.reason}
        return {name: value for name, value in figures.items() if value is not None}


def collapsed_to(probabilities: NDArray[np.float32], truth: NDArray[np.int64], labels: Sequence[str]) -> str | None:
    """The one label that all texts are given though they have several; None where that is not so.

    probabilities: (N, K). truth: (N,) in [0, K).
    """
    given = np.unique(probabilities.argmax(axis=1))
    return labels[int(given[0])] if len(given) == 1 and len(np.unique(truth)) > 1 else None


def stop_if_all_collapse(study: optuna.Study) -> None:
    """Raises UserError where the last trials to complete or fail all know one label only.

    Pruned ones are no evidence: after its first epochs many a good model still gives the commonest label.
    """
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))[-COLLAPSED_IN_A_ROW:]
    labels = [str(trial.user_attrs["collapsed"]) for trial in ended if "collapsed" in trial.user_attrs]
    if len(labels) == COLLAPSED_IN_A_ROW:
        raise UserError(
            f"study '{study.study_name}': the models of the last {COLLAPSED_IN_A_ROW} trials give every text the same "
            f"label: {', '.join(sorted(set(labels)))}",
            "the rates may be too high or the epochs too few for this data: look at search.space and at the labels, "
            "then run the same command again: the trials that ended are kept",
        )
