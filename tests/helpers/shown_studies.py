"""Scores, trials and studies as they are shown."""

from stages.results.study_results import ShownTrial, StudySummary
from transfer.metrics.scores import Scores, score


def scores() -> Scores:
    import numpy as np

    truth = np.arange(60) % 3
    said = np.where(np.arange(60) < 12, (truth + 1) % 3, truth)
    return score(np.eye(3)[said], truth, ("anger", "joy", "sadness"))


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def trial(number: int, value: float) -> ShownTrial:
    figures = dict.fromkeys(("accuracy", "macro_f1", "weighted_f1"), value)
    told = {"trial": number, "value": value, "params": {}, "moved": "", "fresh": None, "scores": figures}
    return ShownTrial.model_validate(told | {"intervals": {name: interval(value) for name in figures}})


def study(best: ShownTrial, baseline: ShownTrial) -> StudySummary:
    counts = {"target": 2, "complete": 2, "pruned": 0, "failed": 0, "running": 0, "waiting": 0}
    return StudySummary(name="small · search · bert", best=best, baseline=baseline, **counts)
