"""A study's plots as plotly's JSON, without plotly: which parameters matter, and what time buys."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

T = TypeVar("T")
Plot = dict[str, Any]
# Optuna's advice for PED-ANOVA; below, a forest's importance is a rough word, and below that none at all
MANY_TRIALS, FEW_TRIALS = 50, 10
MOST_POINTS = 2000
COLOURS = {TrialState.COMPLETE: "#0072B2", TrialState.PRUNED: "#bbbbbb"}


def importance_plot(study: optuna.Study, ended: Sequence[FrozenTrial], metric: str) -> Plot | None:
    """How much each parameter matters; None where trials are too few or too similar.

    50 complete trials or more: PED-ANOVA (Watanabe et al., IJCAI 2023) among the best tenth; from 10 on: fANOVA
    (Hutter et al., ICML 2014), and the title names how rough that is.
    """
    complete = sum(trial.state == TrialState.COMPLETE for trial in ended)
    if complete < FEW_TRIALS:
        return None
    shares = _importances(study, is_rough=complete < MANY_TRIALS)
    if not shares:
        return None
    names = sorted(shares, key=lambda name: shares[name])
    how = f"fANOVA; rough: of {complete} trials, 50 are wanted" if complete < MANY_TRIALS else "PED-ANOVA"
    bars = {"type": "bar", "orientation": "h", "x": [round(shares[n], 4) for n in names], "y": names}
    return _plot(f"Importance for {metric} ({how})", "share", "", [bars | {"marker": {"color": "#0072B2"}}])


def _importances(study: optuna.Study, *, is_rough: bool) -> Mapping[str, float]:
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

    evaluator = FanovaImportanceEvaluator(seed=0) if is_rough else PedAnovaImportanceEvaluator()
    # PED-ANOVA looks for what makes a target small
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE and not is_rough else 1.0
    try:
        return get_param_importances(study, evaluator=evaluator, target=lambda trial: sign * float(trial.value or 0.0))
    except (ValueError, RuntimeError):  # all values equal, or no parameter that all trials have
        return {}


def time_plot(ended: Sequence[FrozenTrial], metric: str) -> Plot:
    """Each trial's value against the seconds that it trained."""
    points = [trial for trial in _thinned(ended) if trial.value is not None and "seconds" in trial.user_attrs]
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": state.name.lower(),
            "x": [trial.user_attrs["seconds"] for trial in points if trial.state == state],
            "y": [_rounded(trial.value) for trial in points if trial.state == state],
            "text": [f"trial {trial.number}" for trial in points if trial.state == state],
            "marker": {"color": colour},
        }
        for state, colour in COLOURS.items()
    ]
    return _plot(f"{metric} against training time", "seconds of training", metric, traces)


def spent_plot(study: optuna.Study, ended: Sequence[FrozenTrial], metric: str) -> Plot:
    """The best value so far against the minutes of training spent, of all workers together."""
    keep = max if study.direction == StudyDirection.MAXIMIZE else min
    spent, best, points = 0.0, None, []
    for trial in ended:
        spent += float(trial.user_attrs.get("seconds", 0.0))
        if trial.state == TrialState.COMPLETE and trial.value is not None:
            best = trial.value if best is None else keep(best, trial.value)
        if best is not None:
            points.append((round(spent / 60, 3), _rounded(best)))
    x, y = ([point[axis] for point in _thinned(points)] for axis in (0, 1))
    line = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"shape": "hv"}}
    return _plot(f"Best {metric} against time spent", "minutes of training, all workers", f"best {metric}", [line])


def _plot(title: str, x: str, y: str, data: list[Plot]) -> Plot:
    axes = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}, "automargin": True}}
    return {"data": data, "layout": {"title": {"text": title}, **axes}}


def _thinned(points: Sequence[T]) -> Sequence[T]:
    return points[:: max(1, -(-len(points) // MOST_POINTS))]


def _rounded(value: float | None) -> float | None:
    finite = value is not None and abs(value) < float("inf")
    return round(float(value), 5) if finite and value is not None else None
