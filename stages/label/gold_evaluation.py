"""A labeller measured against people: agreement, reliability, and what calibration on gold's tune half makes of it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.plan.schema import Plan
from storage.records.pseudo_labels import LabelRow
from transfer.corpus.labelled import Labelled
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.calibration_error import reliability
from transfer.metrics.scores import score
from transfer.metrics.temperature_scaling import Calibration, calibration_from, fit_calibration

NOTHING: dict[str, Any] = {"accuracy": None, "macro_f1": None, "kappa": None, "calibration": None, "calibrated": None}


@dataclass(frozen=True)
class Judged:
    """Answers that are a label, beside what people said.

    label, truth: (N,) int64. probabilities: (N, K), a row of NaN where confidence is unknown. weights: (N,) or None.
    """

    label: NDArray[np.int64]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    weights: NDArray[np.float64] | None

    def sure(self) -> "Judged":
        """The rows whose confidence is known."""
        known = ~np.isnan(self.probabilities).any(axis=1)
        weights = None if self.weights is None else self.weights[known]
        return Judged(self.label[known], self.truth[known], self.probabilities[known], weights)


def against_people(plan: Plan, answers: Mapping[str, LabelRow], gold: Gold | None) -> dict[str, Any]:
    """Figures of gold's report half, of the answers as stage two will read them: calibrated where that was chosen.

    accuracy, macro_f1 and kappa are weighted where gold has weights; per_class and confusion count rows. An answer
    without a label is left out. `calibration` was fitted on gold's tune half; `calibrated` has log-loss, ece and kappa
    of the report half `before` and `after` it. Both are null where nothing was calibrated.
    """
    if gold is None:
        return dict(NOTHING)
    raw = judged(answers, gold.report, len(plan.labels))
    if not len(raw.truth):
        return dict(NOTHING)
    calibration = _fitted(plan, judged(answers, gold.tune, len(plan.labels)))
    if calibration is None:
        return {**_agreement(plan, raw), **_confidence(raw), "calibration": None, "calibrated": None}
    label, probabilities = calibration.applied(raw.label, raw.probabilities)
    after = replace(raw, label=label, probabilities=probabilities)
    told = {"before": _brief(plan, raw), "after": _brief(plan, after)}
    return {
        **_agreement(plan, after),
        **_confidence(after),
        "calibration": calibration.as_dict(),
        "calibrated": told,
    }


def raw_figures(plan: Plan, answers: Mapping[str, LabelRow], gold: Gold | None) -> dict[str, Any]:
    """accuracy, macro_f1 and kappa of answers as they came, on gold's report half, `gold_n` of its rows; `log_loss` and
    `ece` where confidence is known. All null without gold or answers to it."""
    raw = judged(answers, gold.report, len(plan.labels)) if gold else None
    if raw is None or not len(raw.truth):
        return dict.fromkeys(("accuracy", "macro_f1", "kappa", "log_loss", "ece"), None) | {"gold_n": 0}
    values = {name: _interval(plan, raw, name)["value"] for name in ("accuracy", "macro_f1")}
    return {**values, **_brief(plan, raw), "gold_n": len(raw.truth)}


def judged(answers: Mapping[str, LabelRow], gold: Labelled, k: int) -> Judged:
    """The gold rows that the labeller gave a label."""
    rows = [i for i, key in enumerate(gold.keys) if key in answers and answers[key].label is not None]
    given = [answers[gold.keys[i]] for i in rows]
    return Judged(
        label=np.array([row.label for row in given], dtype=np.int64),
        truth=gold.labels[rows],
        probabilities=distributions(given, k),
        weights=None if gold.weights is None else gold.weights[rows],
    )


def distributions(rows: list[LabelRow], k: int) -> NDArray[np.float64]:
    """(N, K), a row of NaN where confidence is unknown."""
    return np.array([row.probabilities or [math.nan] * k for row in rows], dtype=np.float64).reshape(-1, k)


def calibration_of(result: Mapping[str, Any]) -> Calibration | None:
    """The calibration that a labelling's result records, for those who read its labels."""
    told = result.get("calibration")
    return None if told is None else calibration_from(told)


def _fitted(plan: Plan, tune: Judged) -> Calibration | None:
    how = plan.pseudo_label.calibrate if plan.pseudo_label else "none"
    sure = tune.sure()
    if not len(sure.truth):
        return None
    found = fit_calibration(how, sure.probabilities, sure.truth, sure.weights, seed=plan.seed)
    return None if found.kind == "none" else found


def _agreement(plan: Plan, rows: Judged) -> dict[str, Any]:
    k = len(plan.labels)
    scores = score(np.eye(k)[rows.label], rows.truth, plan.labels)
    intervals = {name: _interval(plan, rows, name) for name in ("accuracy", "macro_f1")}
    return {
        **{name: found["value"] for name, found in intervals.items()},
        "intervals": intervals,
        "kappa": _kappa(plan, rows),
        "gold_n": len(rows.truth),
        "gold_is_weighted": rows.weights is not None,
        "per_class": scores.per_class,
        "confusion": [list(row) for row in scores.confusion],
    }


def _confidence(rows: Judged) -> dict[str, Any]:
    """`reliability`, None where no confidence is known; it then says nothing of `unknown_confidence` rows."""
    sure = rows.sure()
    found = reliability(sure.probabilities, sure.truth, sure.weights) if len(sure.truth) else None
    return {
        "reliability": None if found is None else asdict(found) | {"bins": [asdict(b) for b in found.bins]},
        "unknown_confidence": len(rows.truth) - len(sure.truth),
    }


def _brief(plan: Plan, rows: Judged) -> dict[str, Any]:
    sure = rows.sure()
    found = reliability(sure.probabilities, sure.truth, sure.weights) if len(sure.truth) else None
    return {
        "kappa": _kappa(plan, rows),
        "log_loss": found.log_loss if found else None,
        "ece": found.ece if found else None,
    }


def _kappa(plan: Plan, rows: Judged) -> dict[str, float] | None:
    """None where it is undefined: one label is all that people and labeller ever say."""
    found = _interval(plan, rows, "kappa")
    return None if math.isnan(found["value"]) else found


def _interval(plan: Plan, rows: Judged, statistic: Any) -> dict[str, float]:
    k = len(plan.labels)
    found = bootstrap_interval(statistic, rows.label, rows.truth, k, seed=plan.seed, weights=rows.weights)
    return dict(zip(("value", "low", "high"), found, strict=True))
