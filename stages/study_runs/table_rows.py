"""Makes the rows of the one table in which all models stand, reference and ensemble alike."""

import json
from typing import Any

from stages.results.stage_result import Interval
from stages.results.study_results import FIGURES, Intervals, MeanInterval, ModelScores, Scores, SeedInterval, ShownTrial
from transfer.corpus.splits import Original
from transfer.metrics import scores as metrics
from transfer.metrics.bootstrap import confusion_intervals
from transfer.metrics.reference_models import Predictor, majority, tfidf

# The note of figures that a stand-in labeller had a part in.
SIMULATED = "learnt from a stand-in labeller: a simulation"


def row(model: str, stage: str, split: str, scores: metrics.Scores, note: str = "") -> ModelScores:
    """One model on one split, with 95 % bootstrap intervals."""
    figures = Scores(accuracy=scores.accuracy, macro_f1=scores.macro_f1, weighted_f1=scores.weighted_f1)
    return _row(model, stage, split, scores.n, figures, figure_intervals(scores.confusion), note)


def trial_rows(name: str, stage: str, n: int, trial: ShownTrial, note: str = "") -> list[ModelScores]:
    """A trial on the n texts of validation, and where it was fitted again, its mean over fresh seeds below it."""
    rows = [_row(f"{name} (trial {trial.trial})", stage, "validation", n, trial.scores, trial.intervals, note)]
    fresh = trial.fresh
    if fresh is not None:
        title = f"{name}, mean of {fresh.n} fresh seeds"
        rows.append(_row(title, stage, "validation", n, fresh.scores, _over_seeds(fresh.macro_f1), note))
    return rows


def figure_intervals(confusion: Any) -> Intervals:
    """95 % bootstrap intervals of accuracy, macro-F1 and weighted F1. confusion: (K, K) counts, or as JSON."""
    found = confusion_intervals(json.loads(confusion) if isinstance(confusion, str) else confusion)
    return {name: Interval(**found[name]) for name in FIGURES}


def _over_seeds(macro_f1: MeanInterval) -> Intervals | None:
    if macro_f1.low is None or macro_f1.high is None:
        return None
    interval = SeedInterval(mean=macro_f1.mean, value=macro_f1.mean, low=macro_f1.low, high=macro_f1.high)
    return {"macro_f1": interval}


def _row(
    model: str, stage: str, split: str, n: int, figures: Scores, intervals: Intervals | None, note: str
) -> ModelScores:
    macro_f1 = (intervals or {}).get("macro_f1")
    ends = {"low": macro_f1.low, "high": macro_f1.high} if macro_f1 else {}
    shown = {**dict(figures), **ends, "intervals": intervals, "note": note}
    return ModelScores(model=model, stage=stage, split=split, n=n, **shown)


def references(original: Original, labels: list[str]) -> dict[str, Predictor]:
    """The majority class, and TF-IDF with logistic regression, fitted on the original training data."""
    train = original.train
    return {
        "majority class": majority(train.labels, len(labels)),
        "TF-IDF + logistic regression": tfidf(train.texts, train.labels, len(labels)),
    }
