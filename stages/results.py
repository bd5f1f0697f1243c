"""Rows of the one table in which all models stand, reference and ensemble alike."""

from collections.abc import Mapping
from typing import Any

from transfer.evaluate import Scores

# What stands behind figures that a stand-in labeller had a part in.
SIMULATED = "learnt from a stand-in labeller: a simulation"

# model, stage, split, n, accuracy, macro_f1, weighted_f1; low and high where macro-F1 has an interval; note
Row = dict[str, Any]


def row(
    model: str, stage: str, split: str, scores: Scores, interval: tuple[float, float] | None = None, note: str = ""
) -> Row:
    """One model on one split. interval: of macro-F1, 95 %."""
    low, high = interval or (None, None)
    figures = {"accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "weighted_f1": scores.weighted_f1}
    return {
        "model": model,
        "stage": stage,
        "split": split,
        "n": scores.n,
        **figures,
        "low": low,
        "high": high,
        "note": note,
    }


def trial_rows(name: str, stage: str, n: int, trial: Mapping[str, Any], note: str = "") -> list[Row]:
    """A trial on the n texts of validation, and where it was fitted again, its mean over fresh seeds below it."""
    own = {"stage": stage, "split": "validation", "n": n, "note": note}
    rows = [own | {"model": f"{name} (trial {trial['trial']})", **trial["scores"]}]
    fresh = trial.get("fresh")
    if fresh:
        interval = {"low": fresh["macro_f1"]["low"], "high": fresh["macro_f1"]["high"]}
        rows.append(own | {"model": f"{name}, mean of {fresh['n']} fresh seeds", **fresh["scores"], **interval})
    return rows
