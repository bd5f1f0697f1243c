"""Summaries of studies, read from Optuna's own tables by a few queries that change nothing.

For `moodline status`: to import Optuna and load 2,000 trials takes seconds, this a tenth of one. Knows Optuna's schema
(v3.2.0.a, that of Optuna 3.2 to 5); a test holds what it reads against Optuna's own answers.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, DateTime, Engine, Row, bindparam, inspect, text

# PostgreSQL has types of their own for Optuna's enumerations, which compare with no text: so they are cast.
STUDIES = text("""
    SELECT s.study_id, s.study_name, CAST(d.direction AS VARCHAR) AS direction
    FROM studies s JOIN study_directions d ON d.study_id = s.study_id AND d.objective = 0 ORDER BY s.study_id
""")
STUDY_ATTRIBUTES = text("SELECT key, value_json FROM study_user_attributes WHERE study_id = :study")
TRIALS = text("""
    SELECT t.trial_id, t.number, CAST(t.state AS VARCHAR) AS state, t.datetime_start AS started,
        t.datetime_complete AS ended, v.value, CAST(v.value_type AS VARCHAR) AS value_type
    FROM trials t LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
    WHERE t.study_id = :study ORDER BY t.number
""").columns(started=DateTime, ended=DateTime)
# of all trials; the others' attributes are read of those that are shown
ATTRIBUTES_OF_ALL = text("""
    SELECT a.trial_id, a.key, a.value_json FROM trial_user_attributes a JOIN trials t ON t.trial_id = a.trial_id
    WHERE t.study_id = :study AND a.key IN ('baseline', 'reason', 'seconds')
""")
IDS: BindParameter[Any] = bindparam("ids", expanding=True)
ATTRIBUTES = text("SELECT trial_id, key, value_json FROM trial_user_attributes WHERE trial_id IN :ids").bindparams(IDS)
PARAMS = text("""
    SELECT trial_id, param_name, param_value, distribution_json FROM trial_params WHERE trial_id IN :ids
""").bindparams(IDS)
STEPS = text("""
    SELECT trial_id, max(step) FROM trial_intermediate_values WHERE trial_id IN :ids GROUP BY trial_id
""").bindparams(IDS)

INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf}


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """One trial that is shown. started: naive UTC; step: the last one reported, 0 before that."""

    number: int
    state: str
    value: float | None
    params: Mapping[str, Any]
    attributes: Mapping[str, Any]
    started: datetime | None
    step: int


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study as it stands.

    counts: trials by state (COMPLETE, PRUNED, FAIL, RUNNING, WAITING). best: of the complete ones, the earliest of
    equals. baseline: the trial of the published recipe. running: in the order of their numbers. reasons: number, state
    and reason of each trial that has one. seconds: mean duration of complete and pruned trials, None without any.
    """

    name: str
    direction: str
    attributes: Mapping[str, Any]
    counts: Mapping[str, int]
    best: TrialSummary | None
    baseline: TrialSummary | None
    running: Sequence[TrialSummary]
    reasons: Sequence[tuple[int, str, str]]
    seconds: float | None


def read_summaries(engine: Engine, prefix: str) -> list[StudySummary]:
    """The studies whose names begin with `prefix`, in the order in which they were made."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("studies"):
            return []
        studies = connection.execute(STUDIES).all()
        return [_summary(connection, study) for study in studies if study.study_name.startswith(prefix)]


def _summary(connection: Connection, study: Row[Any]) -> StudySummary:
    own, direction = {"study": study.study_id}, study.direction.lower()
    trials = connection.execute(TRIALS, own).all()
    attributes = _by_trial(connection.execute(ATTRIBUTES_OF_ALL, own))
    sign = -1.0 if direction == "maximize" else 1.0
    complete = [trial for trial in trials if trial.state == "COMPLETE"]
    best = min(complete, key=lambda trial: (sign * _value(trial), trial.number), default=None)
    baseline = next((trial for trial in trials if attributes[trial.trial_id].get("baseline")), None)
    running = [trial for trial in trials if trial.state == "RUNNING"]
    shown = _shown(connection, [trial for trial in (best, baseline, *running) if trial is not None])
    return StudySummary(
        name=study.study_name,
        direction=direction,
        attributes={row.key: json.loads(row.value_json) for row in connection.execute(STUDY_ATTRIBUTES, own)},
        counts=Counter(trial.state for trial in trials),
        best=shown[best.trial_id] if best else None,
        baseline=shown[baseline.trial_id] if baseline else None,
        running=[shown[trial.trial_id] for trial in running],
        reasons=[
            (trial.number, trial.state, str(attributes[trial.trial_id]["reason"]))
            for trial in trials
            if "reason" in attributes[trial.trial_id]
        ],
        seconds=_mean_seconds(trials, attributes),
    )


def _shown(connection: Connection, trials: Sequence[Row[Any]]) -> dict[int, TrialSummary]:
    ids = {"ids": [trial.trial_id for trial in trials]}
    params: dict[int, dict[str, Any]] = defaultdict(dict)
    for found in connection.execute(PARAMS, ids):
        params[found.trial_id][found.param_name] = _external(found.param_value, found.distribution_json)
    attributes = _by_trial(connection.execute(ATTRIBUTES, ids))
    steps = {row[0]: row[1] for row in connection.execute(STEPS, ids)}
    return {
        trial.trial_id: TrialSummary(
            number=trial.number,
            state=trial.state,
            value=_value(trial),
            params=params[trial.trial_id],
            attributes=attributes[trial.trial_id],
            started=trial.started,
            step=steps.get(trial.trial_id, 0),
        )
        for trial in trials
    }


def _value(trial: Row[Any]) -> Any:
    return INFINITE.get(trial.value_type, trial.value)


def _mean_seconds(trials: Iterable[Row[Any]], attributes: Mapping[int, Mapping[str, Any]]) -> float | None:
    """By their own count where they have one: between start and end may lie a night without work."""
    ended = [row for row in trials if row.state in {"COMPLETE", "PRUNED"}]
    seconds = [float(attributes[row.trial_id].get("seconds") or _between(row.started, row.ended)) for row in ended]
    return sum(seconds) / len(seconds) if seconds else None


def _between(started: datetime | None, ended: datetime | None) -> float:
    return (ended - started).total_seconds() if started and ended else 0.0


def _external(value: float, distribution: str) -> Any:
    """A parameter as the trial had it: the database keeps a float, and the index of a choice."""
    kept = json.loads(distribution)
    if kept["name"] == "CategoricalDistribution":
        return kept["attributes"]["choices"][int(value)]
    return int(value) if kept["name"].startswith("Int") else float(value)


def _by_trial(rows: Iterable[Row[Any]]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        found[row.trial_id][row.key] = json.loads(row.value_json)
    return found
