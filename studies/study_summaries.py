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

from sqlalchemy import Connection, DateTime, Engine, Row, Select, String, cast, column, func, inspect, select, table

STUDIES = table("studies", column("study_id"), column("study_name"))
DIRECTIONS = table("study_directions", column("study_id"), column("direction"), column("objective"))
STUDY_ATTRIBUTES = table("study_user_attributes", column("study_id"), column("key"), column("value_json"))
TRIALS = table(
    "trials",
    *map(column, ("trial_id", "number", "study_id", "state")),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
VALUES = table("trial_values", *map(column, ("trial_id", "objective", "value", "value_type")))
PARAMS = table("trial_params", *map(column, ("trial_id", "param_name", "param_value", "distribution_json")))
ATTRIBUTES = table("trial_user_attributes", column("trial_id"), column("key"), column("value_json"))
REPORTS = table("trial_intermediate_values", column("trial_id"), column("step"))

INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf}
# of all trials; the others' attributes are read of those that are shown
LOOKED_FOR = ("baseline", "reason", "seconds")


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
        named = select(STUDIES.c.study_id, STUDIES.c.study_name).order_by(STUDIES.c.study_id)
        studies = [row for row in connection.execute(named) if row.study_name.startswith(prefix)]
        return [_summary(connection, row.study_id, row.study_name) for row in studies]


def _summary(connection: Connection, study: int, name: str) -> StudySummary:
    direction = _text(DIRECTIONS.c.direction)
    sought = select(direction).where(DIRECTIONS.c.study_id == study, DIRECTIONS.c.objective == 0)
    goes = connection.execute(sought).scalar_one().lower()
    trials = _trials(connection, study)
    values = _values(connection, study)
    attributes = _by_trial(connection.execute(_attributes_of(study)))
    best = _best([row for row in trials if row.state == "COMPLETE"], values, goes)
    baseline = next((row for row in trials if attributes[row.trial_id].get("baseline")), None)
    running = [row for row in trials if row.state == "RUNNING"]
    shown = _shown(connection, [row for row in (best, baseline, *running) if row is not None], values)
    return StudySummary(
        name=name,
        direction=goes,
        attributes=_study_attributes(connection, study),
        counts=Counter(row.state for row in trials),
        best=shown[best.trial_id] if best else None,
        baseline=shown[baseline.trial_id] if baseline else None,
        running=[shown[row.trial_id] for row in running],
        reasons=[
            (row.number, row.state, str(attributes[row.trial_id]["reason"]))
            for row in trials
            if "reason" in attributes[row.trial_id]
        ],
        seconds=_mean_seconds(trials, attributes),
    )


def _trials(connection: Connection, study: int) -> list[Row[Any]]:
    wanted = select(
        TRIALS.c.trial_id,
        TRIALS.c.number,
        _text(TRIALS.c.state),
        TRIALS.c.datetime_start.label("started"),
        TRIALS.c.datetime_complete.label("ended"),
    )
    return list(connection.execute(wanted.where(TRIALS.c.study_id == study).order_by(TRIALS.c.number)))


def _values(connection: Connection, study: int) -> dict[int, float]:
    """Values of all trials that have one, by trial."""
    wanted = _of(study, select(VALUES.c.trial_id, VALUES.c.value, _text(VALUES.c.value_type)), VALUES)
    rows = connection.execute(wanted.where(VALUES.c.objective == 0))
    return {row.trial_id: INFINITE.get(row.value_type, row.value) for row in rows}


def _attributes_of(study: int) -> Select[Any]:
    wanted = select(ATTRIBUTES.c.trial_id, ATTRIBUTES.c.key, ATTRIBUTES.c.value_json)
    return _of(study, wanted, ATTRIBUTES).where(ATTRIBUTES.c.key.in_(LOOKED_FOR))


def _study_attributes(connection: Connection, study: int) -> dict[str, Any]:
    wanted = select(STUDY_ATTRIBUTES.c.key, STUDY_ATTRIBUTES.c.value_json).where(STUDY_ATTRIBUTES.c.study_id == study)
    return {row.key: json.loads(row.value_json) for row in connection.execute(wanted)}


def _shown(connection: Connection, rows: Sequence[Row[Any]], values: Mapping[int, float]) -> dict[int, TrialSummary]:
    ids = [row.trial_id for row in rows]
    params: dict[int, dict[str, Any]] = defaultdict(dict)
    for found in connection.execute(select(PARAMS).where(PARAMS.c.trial_id.in_(ids))):
        params[found.trial_id][found.param_name] = _external(found.param_value, found.distribution_json)
    attributes = _by_trial(connection.execute(select(ATTRIBUTES).where(ATTRIBUTES.c.trial_id.in_(ids))))
    reached = select(REPORTS.c.trial_id, func.max(REPORTS.c.step)).where(REPORTS.c.trial_id.in_(ids))
    steps = {row[0]: row[1] for row in connection.execute(reached.group_by(REPORTS.c.trial_id))}
    return {
        row.trial_id: TrialSummary(
            number=row.number,
            state=row.state,
            value=values.get(row.trial_id),
            params=params[row.trial_id],
            attributes=attributes[row.trial_id],
            started=row.started,
            step=steps.get(row.trial_id, 0),
        )
        for row in rows
    }


def _best(complete: Iterable[Row[Any]], values: Mapping[int, float], direction: str) -> Row[Any] | None:
    sign = -1.0 if direction == "maximize" else 1.0
    return min(complete, key=lambda row: (sign * values[row.trial_id], row.number), default=None)


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


def _of(study: int, wanted: Select[Any], owned: Any) -> Select[Any]:
    """The rows that belong to the study's trials."""
    joined = wanted.join_from(owned, TRIALS, owned.c.trial_id == TRIALS.c.trial_id)
    return joined.where(TRIALS.c.study_id == study)


def _text(enum: Any) -> Any:
    """An enumeration's name: PostgreSQL has types of their own for these, which compare with no text."""
    return cast(enum, String).label(enum.name)
