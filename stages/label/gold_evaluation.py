"""A labeller evaluated on gold: agreement with people, reliability, and what calibration on gold's tune half gives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.datasets.pseudo_labels import probabilities_of
from stages.plan.schema import Plan
from stages.results.evaluation_result import SplitIntervals
from stages.results.label_result import (
    CalibrationEffect,
    ConfidenceFigures,
    GoldEvaluation,
    UncalibratedFigures,
)
from stages.results.stage_result import Interval
from storage.records.pseudo_labels import LabelRow
from transfer.corpus.labelled import Labelled
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.calibration_error import Reliability, reliability
from transfer.metrics.scores import score
from transfer.metrics.temperature_scaling import Calibration, fit_calibration

Statistic = Literal["accuracy", "macro_f1", "kappa"]


@dataclass(frozen=True)
class GoldAnswers:
    """A labeller's answers to gold rows that have a label, with people's labels of the same rows.

    label, truth: (N,) int64. probabilities: (N, K), a row of NaN where confidence is unknown. weights: (N,) or None.
    """

    label: NDArray[np.int64]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    weights: NDArray[np.float64] | None

    def with_confidence(self) -> "GoldAnswers":
        """The rows whose confidence is known."""
        known = ~np.isnan(self.probabilities).any(axis=1)
        weights = None if self.weights is None else self.weights[known]
        return GoldAnswers(self.label[known], self.truth[known], self.probabilities[known], weights)

    def reliability(self) -> Reliability | None:
        """None where no confidence is known."""
        rows = self.with_confidence()
        return reliability(rows.probabilities, rows.truth, rows.weights) if len(rows.truth) else None

    def interval(self, plan: Plan, statistic: Statistic) -> Interval | None:
        """None where the statistic is undefined: κ where people and labeller give one label alone."""
        k = len(plan.labels)
        found = bootstrap_interval(statistic, self.label, self.truth, k, seed=plan.seed, weights=self.weights)
        return Interval.of(found)


def evaluate_on_gold(plan: Plan, answers: Mapping[str, LabelRow], gold: Gold | None) -> GoldEvaluation | None:
    """Figures of gold's report half for the answers as stage two will read them: calibrated where the plan says so.

    None without gold, or where none of its report half has an answer with a label.
    """
    raw = gold_answers(answers, gold.report, len(plan.labels)) if gold else None
    if gold is None or raw is None or not len(raw.truth):
        return None
    calibration = _fit(plan, gold_answers(answers, gold.tune, len(plan.labels)))
    if calibration is None:
        return _evaluation(plan, raw, None, None)
    label, probabilities = calibration.applied(raw.label, raw.probabilities)
    after = replace(raw, label=label, probabilities=probabilities)
    effect = CalibrationEffect(before=_confidence(plan, raw), after=_confidence(plan, after))
    return _evaluation(plan, after, calibration, effect)


def uncalibrated_figures(
    plan: Plan, answers: Mapping[str, LabelRow], n_queried: int, gold: Gold | None
) -> UncalibratedFigures:
    """Figures of answers as they came. n_queried: number of comments that the labeller was to answer."""
    labelled = sum(row.label is not None for row in answers.values())
    raw = gold_answers(answers, gold.report, len(plan.labels)) if gold else None
    n = len(raw.truth) if raw else 0
    accuracy, macro_f1 = (raw.interval(plan, name) if raw and n else None for name in ("accuracy", "macro_f1"))
    confidence = _confidence(plan, raw) if raw and n else ConfidenceFigures(kappa=None, log_loss=None, ece=None)
    return UncalibratedFigures(
        labelled=labelled,
        missing=n_queried - labelled,
        accuracy=accuracy and accuracy.value,
        macro_f1=macro_f1 and macro_f1.value,
        **dict(confidence),
        gold_n=n,
    )


def gold_answers(answers: Mapping[str, LabelRow], gold: Labelled, k: int) -> GoldAnswers:
    """The gold rows that the labeller gave a label. k: number of labels."""
    rows = [i for i, key in enumerate(gold.keys) if key in answers and answers[key].label is not None]
    given = [answers[gold.keys[i]] for i in rows]
    return GoldAnswers(
        label=np.array([row.label for row in given], dtype=np.int64),
        truth=gold.labels[rows],
        probabilities=probabilities_of(given, k),
        weights=None if gold.weights is None else gold.weights[rows],
    )


def _fit(plan: Plan, tune: GoldAnswers) -> Calibration | None:
    how = plan.pseudo_label.calibrate if plan.pseudo_label else "none"
    rows = tune.with_confidence()
    if not len(rows.truth):
        return None
    found = fit_calibration(how, rows.probabilities, rows.truth, rows.weights, seed=plan.seed)
    return None if found.kind == "none" else found


def _evaluation(
    plan: Plan, rows: GoldAnswers, calibration: Calibration | None, effect: CalibrationEffect | None
) -> GoldEvaluation:
    scores = score(np.eye(len(plan.labels))[rows.label], rows.truth, plan.labels)
    accuracy, macro_f1 = rows.interval(plan, "accuracy"), rows.interval(plan, "macro_f1")
    assert accuracy is not None  # only κ can be undefined
    assert macro_f1 is not None
    return GoldEvaluation(
        accuracy=accuracy.value,
        macro_f1=macro_f1.value,
        intervals=SplitIntervals(accuracy=accuracy, macro_f1=macro_f1),
        kappa=rows.interval(plan, "kappa"),
        gold_n=len(rows.truth),
        gold_is_weighted=rows.weights is not None,
        per_class=scores.per_class,
        confusion=[list(row) for row in scores.confusion],
        reliability=rows.reliability(),
        unknown_confidence=len(rows.truth) - len(rows.with_confidence().truth),
        calibration=calibration,
        calibrated=effect,
    )


def _confidence(plan: Plan, rows: GoldAnswers) -> ConfidenceFigures:
    found = rows.reliability()
    kappa = rows.interval(plan, "kappa")
    return ConfidenceFigures(kappa=kappa, log_loss=found and found.log_loss, ece=found and found.ece)
