"""A trial queued by hand runs next, once, whatever is killed; what cannot run is refused with the reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from stages.plan.schema import read_plan
from stages.runtime.run_context import Run, open_run, store_url
from stages.study_runs.enqueue import QueuedTrial, enqueue_trial
from studies.optuna_storage import open_optuna
from studies.space.dimensions import Choices, Range, Space
from studies.space.suggest import suggest
from studies.study_config import StudyConfig
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import RunTrial, open_study, work
from tests.helpers.formula_search import a_search, dead_worker, outcome
from transfer.errors import UserError, UserErrors

SPACE: Space = {
    "learning_rate": Range(low=1e-5, high=1e-2, log=True),
    "epochs": Range(low=1, high=5),
    "class_weighting": Choices(choices=["none", "balanced"]),
    "dropout": Range(low=0.0, high=0.3, step=0.1, when={"class_weighting": ["balanced"]}),
    "batch_size": 16,
}
BASELINE = {"learning_rate": 3e-5, "epochs": 3, "class_weighting": "none", "dropout": 0.1, "batch_size": 32}
PLAN = """
name: small
labels: [anger, joy]
original: {train: [{path: train.csv}]}
candidates: [models/bert, models/roberta]
search: {trials: 6}
"""


def formula(trial: optuna.Trial, _: object) -> TrialEnd:
    return TrialEnd(-abs(suggest(trial, SPACE)["learning_rate"] - 1e-3), is_pruned=False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return open_run(read_plan(tmp_path / "plan.yaml"))


def the_search(trials: int) -> StudyConfig:
    return a_search(name="small · search · models/bert", space=SPACE, baseline=BASELINE, trials=trials)


@pytest.fixture
def searched(run: Run) -> Callable[..., optuna.Study]:
    def search(trials: int, trial: RunTrial = formula, **more: Any) -> optuna.Study:
        study = open_study(open_optuna(store_url(run.plan)), the_search(trials))
        claims = TrialClaims(run.engine, study.study_name, more.get("worker", run.worker))
        work(study, the_search(trials), claims, trial, lambda: None)
        return study

    return search


def queue(run: Run, *settings: str) -> QueuedTrial:
    return enqueue_trial(run, settings, "models/bert", "search")


def test_a_queued_trial_is_the_next_one_the_rest_being_the_baselines(
    run: Run, searched: Callable[..., optuna.Study]
) -> None:
    searched(3)
    result = queue(run, "learning_rate=1e-3")
    expected = {"learning_rate": 1e-3, "epochs": 3, "class_weighting": "none"}
    assert (result.trial, result.params, result.waiting, result.left) == (3, expected, 1, 3)
    assert "runs next" in result.message
    study = searched(6)
    assert len(study.trials) == 6
    assert study.trials[3].params == expected
    assert study.best_trial.number == 3
    assert study.trials[3].user_attrs["enqueued"] is True


def test_a_condition_that_the_settings_make_hold_brings_its_parameter(
    run: Run, searched: Callable[..., optuna.Study]
) -> None:
    searched(1)
    assert queue(run, "class_weighting=balanced").params["dropout"] == 0.1
    assert queue(run, "class_weighting=balanced", "dropout=0.3").params["dropout"] == 0.3


def test_a_trial_beyond_the_budget_waits_and_the_message_says_how_to_run_it(
    run: Run, searched: Callable[..., optuna.Study]
) -> None:
    searched(6)
    assert "moodline search plan.yaml --set search.trials=7" in queue(run, "epochs=5").message
    assert searched(6).trials[6].state == TrialState.WAITING
    assert searched(7).trials[6].state == TrialState.COMPLETE


def test_a_queued_trial_survives_kills_and_runs_once(run: Run, searched: Callable[..., optuna.Study]) -> None:
    searched(2)
    queue(run, "learning_rate=1e-3")
    queue(run, "learning_rate=2e-3")

    def killed(trial: optuna.Trial, _: object) -> TrialEnd:
        raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            searched(6, killed, worker=dead_worker())
    study = searched(6)
    rates = [trial.params["learning_rate"] for trial in study.trials]
    assert rates[2:4] == [1e-3, 2e-3]
    assert len(rates) == len(set(rates)) == 6
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}


def test_a_search_that_was_killed_with_a_queued_trial_ends_like_one_that_was_not(
    run: Run, searched: Callable[..., optuna.Study]
) -> None:
    searched(2)
    queue(run, "learning_rate=1e-3")
    for trials in (3, 4, 5, 6):
        cut = searched(trials)
    cut_short = outcome(cut)
    optuna.delete_study(study_name=cut.study_name, storage=cut._storage)
    from storage.records.trial_slots import forget_slots

    forget_slots(run.engine, cut.study_name)
    searched(2)
    queue(run, "learning_rate=1e-3")
    assert outcome(searched(6)) == cut_short


def test_one_queued_before_the_first_trial_leaves_the_baseline_the_first_to_be_proposed(
    run: Run, searched: Callable[..., optuna.Study]
) -> None:
    open_study(open_optuna(store_url(run.plan)), the_search(6))
    queue(run, "learning_rate=1e-3")
    study = searched(3)
    assert [bool(trial.user_attrs.get("baseline")) for trial in study.trials] == [False, True, False]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["learning_rat=1e-4"], "no parameter 'learning_rat' did you mean 'learning_rate'?"),
        (["learning_rate=0.5"], "learning_rate is 1e-05 to 0.01 in this study, and no trial of it may have 0.5"),
        (["learning_rate=7"], "learning_rate takes numbers from 1e-08 to 1, got 7"),
        (["learning_rate=fast"], "learning_rate takes numbers from 1e-08 to 1, got 'fast'"),
        (["epochs=2.5"], "epochs takes whole numbers"),
        (["epochs=[1, 2]"], "epochs: one value is needed, got [1, 2]"),
        (["class_weighting=balance"], "class_weighting has no value 'balance'; there are none, balanced"),
        (["batch_size=32"], "batch_size is fixed at 16 in this study"),
        (
            ["dropout=0.2"],
            "dropout is tried only under a condition, which does not hold here add class_weighting=",
        ),
        (["class_weighting=balanced", "dropout=0.15"], "dropout is 0.0 to 0.3 in steps of 0.1 in this study"),
    ],
)
def test_what_the_study_cannot_run_is_refused(run: Run, settings: list[str], words: str) -> None:
    open_study(open_optuna(store_url(run.plan)), the_search(1))
    with pytest.raises(UserErrors) as caught:
        queue(run, *settings)
    assert words in " ".join(str(caught.value).split())


def test_all_mistakes_are_reported_at_once(run: Run) -> None:
    open_study(open_optuna(store_url(run.plan)), the_search(1))
    with pytest.raises(UserErrors) as caught:
        queue(run, "a=1", "epochs=9", "batch_size=32")
    assert len(caught.value.problems) == 3


def test_stage_twos_controls_are_no_candidate_to_choose_from(run: Run) -> None:
    for name in ("small · further · models/bert", "small · further · models/bert · controls"):
        open_study(open_optuna(store_url(run.plan)), replace(the_search(1), name=name))
    assert enqueue_trial(run, ["epochs=2"], None, "further").study == "small · further · models/bert"


def test_the_study_must_be_clear_and_begun(run: Run, searched: Callable[..., optuna.Study]) -> None:
    with pytest.raises(UserError, match=r"has not begun.*\n.*moodline search plan.yaml"):
        queue(run, "epochs=2")
    searched(1)
    with pytest.raises(UserError, match=r"--candidate is needed: the plan has 2 of them\n.*models/roberta"):
        enqueue_trial(run, ["epochs=2"], None, "search")
    with pytest.raises(UserError, match="--candidate x: the plan has no such one"):
        enqueue_trial(run, ["epochs=2"], "x", "search")
    with pytest.raises(UserError, match=r"further · ….*has not begun(.|\n)*moodline further plan.yaml"):
        enqueue_trial(run, ["epochs=2"], None, "further")
    for wrong in ("epochs", "=2", "epochs="):
        with pytest.raises(UserError, match="a parameter and its value are needed"):
            queue(run, wrong)
    with pytest.raises(UserError, match="epochs stands twice"):
        queue(run, "epochs=2", "epochs=3")
