"""A second process takes its part of an ablation's fits, and the table is that of one process."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from stages.further.ablation import run_ablation
from stages.further.run_further import run_further
from storage.records import trial_slots
from tests.helpers.searched_project import opened, predictions
from tests.helpers.small_project import Project

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]
CONTROLS = "small · further · models/bert · controls"
SHORT = "further.trials=1"


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended before it said {words!r}")


def test_a_worker_joins_the_ablation(searched: Path, tmp_path: Path) -> None:
    run_further(opened(searched, SHORT))
    alone = Path(shutil.copytree(searched.parent, tmp_path / "alone")) / "plan.yaml"
    expected = run_ablation(opened(alone, SHORT)).as_json()
    project = Project(searched.parent)
    leader = project.start("further", "plan.yaml", "--ablation", "--json", "--set", SHORT)
    wait_for(leader, f"{CONTROLS} · trial")
    leader.send_signal(signal.SIGSTOP)  # so that there is something left to do, however slow the other starts
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
