import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest

from stages.console.show_status import show_status
from stages.plan.schema import Plan, read_plan
from stages.reports.run_status import run_status
from stages.results.study_results import TrialFailure
from stages.runtime.run_context import store_url
from storage.database.open_store import open_store
from storage.process_identity import ProcessIdentity, this_process
from storage.records import trial_slots
from studies.optuna_storage import open_optuna
from tests.helpers.many_trials import make_many_trials
from tests.helpers.small_project import environment

STUDY = "many · search · klue/bert-base"
HEAVY = {"torch", "transformers", "optuna", "pandas", "sklearn", "pyarrow", "numpy", "matplotlib", "datasets"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan of which nothing was begun."""
    text = "name: many\nlabels: [a, b]\noriginal: {train: [{path: x.csv}]}\n"
    text += "candidates: [klue/bert-base, klue/roberta-base]\nsearch: {trials: 10, space: {epochs: 4}}\n"
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    return read_plan(tmp_path / "plan.yaml")


@pytest.fixture
def begun(plan: Plan) -> optuna.Study:
    """Its first study: two complete trials of a minute, one that failed, one that runs its second epoch of four."""
    open_store(store_url(plan)).dispose()
    study = optuna.create_study(study_name=STUDY, storage=open_optuna(store_url(plan)), direction="maximize")
    study.set_user_attr("candidate", "klue/bert-base")
    for value in (0.5, 0.75):
        trial = study.ask()
        trial.set_user_attr("seconds", 60.0)
        trial.set_user_attr("baseline", trial.number == 0)
        study.tell(trial, value)
    failed = study.ask()
    failed.set_user_attr("reason", "FloatingPointError: the loss is NaN")
    study.tell(failed, state=optuna.trial.TrialState.FAIL)
    running = study.ask()
    running.report(0.3, 1)
    running.report(0.4, 2)
    return study


def take(plan: Plan, worker: ProcessIdentity) -> None:
    """The worker's slot, in which trial 3 runs."""
    engine = open_store(store_url(plan))
    slot = trial_slots.take_slot(engine, STUDY, 10, worker, time.time())
    assert slot is not None
    trial_slots.set_trial(engine, STUDY, slot, worker, 3)


def status_of(folder: Path) -> tuple[dict[str, Any], set[str]]:
    """What the command reports, and the modules that it imported."""
    code = (
        "import json, sys; sys.argv = ['moodline', 'status', 'plan.yaml', '--json']; import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder, env=environment({})
    )
    status, modules = done.stdout.splitlines()
    return json.loads(status), set(json.loads(modules))


def test_status_of_many_trials_imports_nothing_heavy(plan: Plan) -> None:
    make_many_trials(store_url(plan), STUDY, 2000)
    status, modules = status_of(plan.base)
    assert not modules & HEAVY
    (study,) = status["studies"]
    assert study["complete"] + study["pruned"] + study["failed"] + study["running"] == 2000
    assert len(study["failures"]) == study["failed"] > 0


def test_a_plan_that_never_ran_is_not_begun_and_stays_so(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    status = run_status(plan)
    assert (status.begun, status.studies, status.disk_bytes) == (False, [], 0)
    assert {stage.state for stage in status.stages} == {"waiting"}
    assert [path.name for path in plan.base.iterdir()] == ["plan.yaml"]
    show_status(status)
    assert "not begun" in capsys.readouterr().out


def test_it_shows_best_against_baseline_and_why_trials_failed(
    plan: Plan, begun: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_status(plan)
    (study,) = status.studies
    assert (study.target, study.complete, study.pruned, study.failed, study.running, study.waiting) == (
        10,
        2,
        0,
        1,
        1,
        0,
    )
    assert study.best is not None
    assert study.baseline is not None
    assert (study.best.trial, study.best.value) == (1, 0.75)
    assert (study.baseline.trial, study.baseline.value) == (0, 0.5)
    assert study.failures == [TrialFailure(trial=2, state="fail", reason="FloatingPointError: the loss is NaN")]
    show_status(status)
    shown = " ".join(capsys.readouterr().out.split())
    assert "search · klue/bert-base, trial 2 failed: FloatingPointError: the loss is NaN" in shown
    assert "0.7500 1 0.5000 2/10" in shown


def test_it_shows_which_worker_runs_a_trial_and_how_far(
    plan: Plan, begun: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    me = this_process()
    take(plan, me)
    (trial,) = run_status(plan).workers
    assert (trial.trial, trial.worker, trial.host, trial.pid) == (3, me.name, me.host, me.pid)
    assert (trial.epoch, trial.epochs, trial.alive) == (2, 4, True)
    assert 0 <= trial.seconds < 600
    show_status(run_status(plan))
    assert "trial 3: epoch 2 of 4, begun" in " ".join(capsys.readouterr().out.split())


def test_a_dead_workers_trial_is_shown_as_interrupted(
    plan: Plan, begun: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    take(plan, ProcessIdentity(this_process().host, int(ended.stdout), time.time(), "one that died"))
    (trial,) = run_status(plan).workers
    assert trial.alive is False
    show_status(run_status(plan))
    assert "one that died is gone" in " ".join(capsys.readouterr().out.split())


def test_the_time_to_go_counts_running_trials_and_candidates_that_wait(plan: Plan, begun: optuna.Study) -> None:
    status = run_status(plan)
    (study,) = status.studies
    assert study.seconds_to_go == pytest.approx(60 * (10 - 2 - 0.5))
    assert status.seconds_to_go == pytest.approx(60 * (10 - 2 - 0.5) + 60 * 10)


def test_the_bytes_on_disk_are_shown_by_purpose(plan: Plan, begun: optuna.Study) -> None:
    for name, size in (
        ("files/models/one/w", 100),
        ("files/artifacts/one", 20),
        ("scratch/s/c", 50),
        ("cache/t", 7),
    ):
        path = plan.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    status = run_status(plan)
    sizes = status.disk
    assert [sizes[name] for name in ("weights", "artifacts", "checkpoints", "cache")] == [100, 20, 50, 7]
    assert sizes["store"] >= (plan.root / "moodline.db").stat().st_size
    assert status.disk_bytes == sum(p.stat().st_size for p in plan.root.rglob("*") if p.is_file())
