"""The ablation: original data, pseudo-labels and both, over several seeds, by several workers, whatever is killed."""

import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from stages.further.ablation import run_ablation
from stages.further.comparison import REPORT
from stages.further.run_further import run_further
from storage.records import trial_slots
from studies.trials.objective import run_trial
from tests.helpers.searched_project import KilledError, dying, opened, predictions
from tests.helpers.small_project import Project

pytestmark = pytest.mark.usefixtures("one_thread")

CONTROLS = "small · further · models/bert · controls"

SHORT = "further.trials=1"


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended before it said {words!r}")


def stop_between_writes(process: "subprocess.Popen[str]", store: Path) -> None:
    """Stopped within a write, it would keep all others from the store."""
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(store, timeout=1)) as connection:
                connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)


@pytest.mark.slow
def test_a_worker_joins_the_ablation(searched: Path, tmp_path: Path) -> None:
    run_further(opened(searched, SHORT))
    alone = Path(shutil.copytree(searched.parent, tmp_path / "alone")) / "plan.yaml"
    expected = run_ablation(opened(alone, SHORT)).as_json()
    project = Project(searched.parent)
    leader = project.start("further", "plan.yaml", "--ablation", "--json", "--set", SHORT)
    wait_for(leader, f"{CONTROLS} · trial")
    # so that there is something left to do, however slow the other starts
    stop_between_writes(leader, opened(searched).root / "moodline.db")
    joined = project.start("worker", "plan.yaml", "--set", SHORT)
    wait_for(joined, f"{CONTROLS} · trial")
    leader.send_signal(signal.SIGCONT)
    _, errors = leader.communicate(timeout=600)
    assert leader.returncode == 0, errors
    out, errors = joined.communicate(timeout=600)
    assert joined.returncode == 0, errors
    assert "winner: models/bert" in out
    run = opened(searched, SHORT)
    assert run_ablation(run).as_json()["rows"] == expected["rows"]
    trials = [params for *_, params in predictions(run, CONTROLS)]
    assert len(trials) == len(predictions(opened(alone, SHORT), CONTROLS)) == 9
    assert len({slot.worker for slot in trial_slots.slots(run.engine, CONTROLS)}) >= 3  # stage two's own, and these two


def test_the_ablation_killed_and_gone_on_with_is_that_which_ran_through(
    further: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = Path(shutil.copytree(further.parent, tmp_path / "through")) / "plan.yaml"
    expected = run_ablation(opened(through)).as_json()
    begun = 0

    def killed(*args: object, **more: object) -> object:
        nonlocal begun
        begun += 1
        if begun > 3:
            raise KilledError
        return run_trial(*args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("stages.study_runs.study_runner.run_trial", killed)
        with pytest.raises(KilledError):
            run_ablation(dying(further))
    result = run_ablation(opened(further)).as_json()
    assert result["rows"] == expected["rows"]
    assert result["comparisons"] == expected["comparisons"]
    assert predictions(opened(further), CONTROLS) == predictions(opened(through), CONTROLS)
    assert len(predictions(opened(further), CONTROLS)) == 9
    assert Path(result["png"]).read_bytes()[:4] == b"\x89PNG"
    for row in result["rows"]:
        assert row["seeds"] == len(row["values"]) == 3
        assert row["low"] <= row["macro_f1"] <= row["high"]
    report = {row["model"]: row["macro_f1"] for row in result["rows"] if row["split"] == REPORT}
    assert report["both"] > report["original data only"]
    verdicts = {(c["model"], c["than"]): c["verdict"] for c in result["comparisons"] if c["split"] == REPORT}
    assert verdicts["both", "original data only"] == "better"


@pytest.mark.slow
def test_more_seeds_add_to_those_of_before(further: Path) -> None:
    run_ablation(opened(further))
    before = predictions(opened(further), CONTROLS)
    result = run_ablation(opened(further, "further.ablation_seeds=4")).as_json()
    after = predictions(opened(further), CONTROLS)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 3
    assert {row["seeds"] for row in result["rows"]} == {4}


@pytest.mark.slow
def test_a_lost_picture_is_drawn_again(further: Path) -> None:
    first = run_ablation(opened(further)).as_json()
    Path(first["png"]).unlink()
    again = run_ablation(opened(further)).as_json()
    assert Path(again["png"]).is_file()
    assert again["rows"] == first["rows"]
