"""Rows of the one table in which all models stand, reference and ensemble alike."""

import json
from collections.abc import Mapping
from typing import Any

from transfer.metrics.bootstrap import confusion_intervals
from transfer.metrics.scores import Scores

FIGURES = ("accuracy", "macro_f1", "weighted_f1")
# What stands behind figures that a stand-in labeller had a part in.
SIMULATED = "learnt from a stand-in labeller: a simulation"

# model, stage, split, n, accuracy, macro_f1, weighted_f1; intervals of these three; low and high of macro-F1; note
Row = dict[str, Any]


def row(model: str, stage: str, split: str, scores: Scores, note: str = "") -> Row:
    """One model on one split, with 95 % bootstrap intervals."""
    figures = {name: getattr(scores, name) for name in FIGURES}
    return _row(model, stage, split, scores.n, figures, figure_intervals(scores.confusion), note)


def trial_rows(name: str, stage: str, n: int, trial: Mapping[str, Any], note: str = "") -> list[Row]:
    """A trial on the n texts of validation, and where it was fitted again, its mean over fresh seeds below it."""
    title = f"{name} (trial {trial['trial']})"
    rows = [_row(title, stage, "validation", n, trial["scores"], trial.get("intervals"), note)]
    fresh = trial.get("fresh")
    if fresh:
        title, interval = f"{name}, mean of {fresh['n']} fresh seeds", fresh["macro_f1"]
        known = {"macro_f1": {**interval, "value": interval["mean"]}} if interval["low"] is not None else None
        rows.append(_row(title, stage, "validation", n, fresh["scores"], known, note))
    return rows


def figure_intervals(confusion: Any) -> dict[str, dict[str, float]]:
    """Of accuracy, macro-F1 and weighted F1: `value`, `low`, `high`. confusion: (K, K) counts, or as JSON."""
    found = confusion_intervals(json.loads(confusion) if isinstance(confusion, str) else confusion)
    return {name: found[name] for name in FIGURES}


def _row(
    model: str,
    stage: str,
    split: str,
    n: int,
    figures: Mapping[str, Any],
    intervals: Mapping[str, Mapping[str, Any]] | None,
    note: str,
) -> Row:
    of_f1 = (intervals or {}).get("macro_f1", {})
    about = {"model": model, "stage": stage, "split": split, "n": n}
    ends = {"low": of_f1.get("low"), "high": of_f1.get("high"), "intervals": intervals}
    return about | {name: figures[name] for name in FIGURES} | ends | {"note": note}
