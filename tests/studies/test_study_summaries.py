import math
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Literal

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.database.open_store import open_store
from studies.optuna_storage import open_optuna
from studies.ranking import best_trial
from studies.study_summaries import TrialSummary, read_summaries
from tests.helpers.many_trials import make_many_trials

Direction = Literal["maximize", "minimize"]
DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "learning_rate": optuna.distributions.FloatDistribution(1e-5, 1e-2, log=True),
    "epochs": optuna.distributions.IntDistribution(1, 5),
    "class_weighting": optuna.distributions.CategoricalDistribution(["none", "balanced", None, 2]),
}


@pytest.fixture
def url(store_url: str) -> str:
    """Either database, in place of this folder's SQLite."""
    return store_url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_store(url)
    yield engine
    engine.dispose()


def a_study(url: str, direction: Direction, name: str = "plan · search · one") -> optuna.Study:
    """Trials of every state, equal values, infinite ones, and reports that are no numbers."""
    study = optuna.create_study(study_name=name, storage=open_optuna(url), direction=direction)
    study.set_user_attr("candidate", "one")
    values = [0.5, 0.7, 0.7, 0.1, 0.1]
    for i, value in enumerate(values):
        trial = study.ask(DISTRIBUTIONS)
        trial.set_user_attr("baseline", i == 0)
        trial.set_user_attr("seconds", 10.0 * i)
        trial.report(math.nan if i == 1 else value, 1)
        study.tell(trial, value)
    pruned = study.ask(DISTRIBUTIONS)
    pruned.report(math.inf, 3)
    pruned.set_user_attr("seconds", 5.0)
    study.tell(pruned, state=TrialState.PRUNED)
    failed = study.ask(DISTRIBUTIONS)
    failed.set_user_attr("reason", "RuntimeError: CUDA out of memory")
    study.tell(failed, state=TrialState.FAIL)
    running = study.ask(DISTRIBUTIONS)
    running.report(0.2, 1)
    running.report(0.3, 2)
    study.enqueue_trial({"epochs": 2})
    return study


def as_optuna_has_it(seen: TrialSummary | None, trial: optuna.trial.FrozenTrial | None) -> bool:
    if seen is None or trial is None:
        return seen is None and trial is None
    assert seen.started is not None
    assert trial.datetime_start is not None
    begun = seen.started.replace(tzinfo=UTC).timestamp() == trial.datetime_start.astimezone().timestamp()
    figures = (seen.number, seen.state, seen.value, dict(seen.params), dict(seen.attributes))
    step = max(trial.intermediate_values, default=0)
    return (
        begun
        and seen.step == step
        and figures
        == (
            trial.number,
            trial.state.name,
            trial.value,
            trial.params,
            trial.user_attrs,
        )
    )


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_glance_sees_what_optuna_has(url: str, engine: Engine, direction: Direction) -> None:
    study = a_study(url, direction)
    a_study(url, direction, "other · search · one")
    (seen,) = read_summaries(engine, "plan · ")
    trials = study.get_trials()
    assert seen.name == study.study_name
    assert seen.direction == study.direction.name.lower()
    assert seen.attributes == study.user_attrs
    assert all(seen.counts.get(s.name, 0) == sum(t.state == s for t in trials) for s in TrialState)
    assert as_optuna_has_it(seen.best, best_trial(study))
    assert seen.best is not None
    assert seen.best.number == (1 if direction == "maximize" else 3)  # the earliest of equals
    assert as_optuna_has_it(seen.baseline, trials[0])
    assert [t.number for t in seen.running] == [7]
    assert as_optuna_has_it(seen.running[0], trials[7])
    assert seen.reasons == [(6, "FAIL", "RuntimeError: CUDA out of memory")]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_values_stand_where_optuna_puts_them(
    url: str, engine: Engine, direction: Direction, value: float
) -> None:
    study = a_study(url, direction)
    study.add_trial(optuna.trial.create_trial(value=value, params={}, distributions={}))
    (seen,) = read_summaries(engine, "plan · ")
    assert seen.best is not None
    assert (seen.best.number, seen.best.value) == (study.best_trial.number, study.best_value)


def test_a_mean_trial_counts_the_hours_in_which_it_worked(url: str, engine: Engine) -> None:
    a_study(url, "maximize")
    (seen,) = read_summaries(engine, "plan · ")
    # without a count of its own (0 here) a trial's beginning and end tell, a few milliseconds
    assert seen.seconds == pytest.approx((0 + 10 + 20 + 30 + 40 + 5) / 6, abs=0.1)


def test_a_study_of_which_nothing_ended_has_no_best(url: str, engine: Engine) -> None:
    optuna.create_study(study_name="plan · search · one", storage=open_optuna(url)).ask()
    (seen,) = read_summaries(engine, "plan · ")
    assert (seen.best, seen.baseline, seen.seconds) == (None, None, None)


def test_a_store_without_optunas_tables_has_no_studies(engine: Engine) -> None:
    assert read_summaries(engine, "plan · ") == []


def test_a_glance_at_many_trials_agrees_with_optuna(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    make_many_trials(url, "plan · search · one", 300)
    (seen,) = read_summaries(open_store(url), "plan · ")
    study = optuna.load_study(study_name="plan · search · one", storage=open_optuna(url))
    assert sum(seen.counts.values()) == 300
    assert as_optuna_has_it(seen.best, best_trial(study))
    assert len(seen.reasons) == sum("reason" in t.user_attrs for t in study.trials)
    assert seen.running[0].step == 2
