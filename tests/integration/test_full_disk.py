"""A disk that is full where checkpoints and weights are written: nothing is lost, and the search goes on with room."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.project_state import project_state
from tests.helpers.small_project import Project, environment

# A disk of its own, in a namespace that ends with the command.
SMALL_DISK = """\
mkdir -p runs/small/scratch
mount -t tmpfs -o size=64k tmpfs runs/small/scratch || exit 99
exec "$0" -m cli search plan.yaml
"""


def on_a_small_disk(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, sys.executable]
    return subprocess.run(
        command, cwd=folder, env=environment({}), text=True, capture_output=True, check=False, timeout=300
    )


@pytest.mark.slow
def test_a_full_disk_stops_the_search_with_one_message_and_costs_no_trial(project: Project) -> None:
    try:
        full = on_a_small_disk(project.folder)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if full.returncode == 99 or "unshare" in full.stderr:
        pytest.skip(f"no disk can be mounted here: {full.stderr.strip()[:200]}")
    assert full.returncode == 1
    assert "No space left on device" in full.stderr
    assert "make room, then go on with: moodline search plan.yaml" in full.stderr
    done = project.run("search", "plan.yaml")
    assert done.returncode == 0, done.stderr
    trials = [trial for found in project_state(project.folder)["trials"].values() for trial in found]
    assert {trial[1] for trial in trials} <= {"COMPLETE", "PRUNED"}
    assert len(trials) == 6
    assert project_state(project.folder)["scratch"] == []
