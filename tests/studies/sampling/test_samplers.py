"""Every sampler proposes from the study's trials alone, so that a search may stop anywhere and go on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import optuna
import pytest
from optuna.trial import TrialState

from studies.optuna_storage import open_optuna
from studies.sampling.algorithm_names import SamplerName
from studies.sampling.samplers import propose
from studies.space.dimensions import Range, Space
from studies.space.suggest import suggest
from studies.trials.trial_result import TrialEnd
from studies.workers.next_trial import add_next_trial
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study
from tests.helpers.conditional_space import BASE, CONDITIONAL, IDLE, formula_in, stopped_in
from tests.helpers.formula_search import BASELINE, SPACE, RunIt, a_search, dead_worker, outcome

SAMPLERS = get_args(SamplerName)
MARKS = {"gp": pytest.mark.slow}


@pytest.mark.parametrize("space", [SPACE, CONDITIONAL], ids=["plain", "conditional"])
@pytest.mark.parametrize("sampler", [pytest.param(name, marks=MARKS.get(name, ())) for name in SAMPLERS])
def test_a_search_stopped_or_killed_anywhere_ends_like_one_that_ran_through(
    run_it: RunIt, url: str, sampler: str, space: Space
) -> None:
    more: dict[str, Any] = {"sampler": sampler, "space": space, "baseline": BASE}
    trial = formula_in(space)
    whole = outcome(run_it(a_search(name="whole", trials=16, **more), trial))

    for last in range(0, 16, 4):  # stopped within a trial
        with pytest.raises(KeyboardInterrupt):
            run_it(a_search(name="cut", trials=16, **more), stopped_in(last, space), worker=dead_worker())
    for trials in range(15, 17):  # between two, and between beginning one and noting it
        run_it(a_search(name="cut", trials=trials, **more), trial)
        if trials == 15:
            add_next_trial(open_study(open_optuna(url), a_search(name="cut", **more)), a_search(name="cut", **more))
    assert outcome(run_it(a_search(name="cut", trials=16, **more), trial)) == whole
    assert len({params for _, _, _, params, _ in whole}) == 16


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_kill_while_a_trial_is_begun_leaves_the_whole_of_it_or_nothing(
    run_it: RunIt, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    whole = outcome(run_it(a_search(name="whole", trials=13, sampler=sampler)))
    run_it(a_search(name="cut", trials=11, sampler=sampler))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # the parameters are drawn and about to be written
        patched.setattr("studies.workers.next_trial._waiting", killed)
        with pytest.raises(KeyboardInterrupt):
            run_it(a_search(name="cut", trials=13, sampler=sampler), worker=dead_worker())
    with monkeypatch.context() as patched:  # written, and not begun
        patched.setattr("studies.workers.worker_loop._start", killed)
        with pytest.raises(KeyboardInterrupt):
            run_it(a_search(name="cut", trials=13, sampler=sampler), worker=dead_worker())
    with monkeypatch.context() as patched:  # begun, and the number not noted
        patched.setattr(TrialClaims, "begin", killed)
        with pytest.raises(KeyboardInterrupt):
            run_it(a_search(name="cut", trials=13, sampler=sampler), worker=dead_worker())
    assert outcome(run_it(a_search(name="cut", trials=13, sampler=sampler))) == whole


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_trial_0_is_the_baseline_whatever_proposes_the_others(run_it: RunIt, sampler: str) -> None:
    first = run_it(a_search(trials=2, sampler=sampler)).trials[0]
    assert first.user_attrs["baseline"] is True
    assert first.params == {name: BASELINE[name] for name in first.params}


PROPOSALS = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.helpers.conditional_space import CONDITIONAL, a_study
from studies.sampling.samplers import propose
for sampler in ("tpe", "gp", "qmc", "random"):
    print(sampler, sorted(propose(a_study(14), CONDITIONAL, 3, sampler).items()))
"""


@pytest.mark.slow
def test_another_process_with_other_hashes_proposes_the_same() -> None:
    root = str(Path(__file__).parents[3])
    said = [
        subprocess.run(
            [sys.executable, "-c", PROPOSALS, root],
            env={**os.environ, "PYTHONHASHSEED": seed},
            text=True,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_parameter_is_proposed_only_where_its_condition_holds(run_it: RunIt, sampler: str) -> None:
    search = a_search(trials=24, sampler=sampler, space=CONDITIONAL, baseline=BASE)
    trials = run_it(search, formula_in(CONDITIONAL)).trials
    plain = [t.params["class_weighting"] == "none" for t in trials]
    assert [("layer_decay" in t.params) for t in trials] == plain
    assert [("dropout" in t.params) for t in trials] == [
        is_plain and t.params["frozen_layers"] < 2 for is_plain, t in zip(plain, trials, strict=True)
    ]
    assert 0 < sum(plain) < 24


def test_tpe_finds_more_than_random_in_a_conditional_space() -> None:
    def best(sampler: SamplerName, seed: int) -> float:
        study = optuna.create_study(direction="maximize")
        for _ in range(40):
            study.enqueue_trial(propose(study, CONDITIONAL, seed, sampler))
            trial = study.ask()
            study.tell(trial, formula_in(CONDITIONAL)(trial, IDLE).value)
        return study.best_value

    assert sum(best("tpe", seed) > best("random", seed) for seed in range(5)) >= 4


def test_a_space_of_one_point_is_run_as_often_as_asked(run_it: RunIt) -> None:
    space: Space = {"learning_rate": 1e-3, "epochs": Range(low=3, high=3)}
    for sampler in SAMPLERS:
        search = a_search(name=sampler, trials=12, sampler=sampler, space=space)
        study = run_it(search, lambda trial, _: TrialEnd(suggest(trial, space)["epochs"], is_pruned=False))
        assert [trial.params for trial in study.trials] == [{"epochs": 3}] * 12


def test_the_work_of_a_proposal_grows_no_faster_than_the_trials() -> None:
    """Of 2,000 trials it takes about 0.6 s."""
    assert calls_of_a_proposal(2000) < 3 * calls_of_a_proposal(1000)


def calls_of_a_proposal(trials: int) -> int:
    """How many functions are called for the proposal that follows so many trials."""
    import cProfile
    import pstats

    from studies.space.defaults import default_space

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    space = default_space(12)
    for number in range(trials):
        trial = study.ask()
        value = suggest(trial, space)["dropout"]
        for epoch in range(1, 4):
            trial.report(value, epoch)
        study.tell(trial, value, state=TrialState.COMPLETE if number % 3 else None)
    profile = cProfile.Profile()
    profile.runcall(propose, study, space, 1)
    return int(vars(pstats.Stats(profile))["total_calls"])
