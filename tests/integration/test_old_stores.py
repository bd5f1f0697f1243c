"""A workspace of 0.1.0, which called the stages "basic" and "pseudo_label": gone on with under today's names.

tests/data/small-0.1.0.tar.xz: a project whose run was killed in stage two's second trial; stage one and the labels are
done. small-0.1.0.outcome.json: what 0.1.0 itself came to from there.
"""

import json
import socket
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.small_project import Project, outcome

DATA = Path(__file__).parents[1] / "data"
EXPECTED: dict[str, Any] = json.loads((DATA / "small-0.1.0.outcome.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(tmp_path: Path) -> Project:
    """The killed project, as if on this machine."""
    with tarfile.open(DATA / "small-0.1.0.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "small-0.1.0"
    store = sqlite3.connect(folder / "runs" / "small" / "moodline.db")
    with store:  # else its worker would be waited for as one that cannot be seen from here
        store.execute("UPDATE moodline_slots SET host = ?", [socket.gethostname()])
    store.close()
    return Project(folder)


def test_status_shows_todays_names(old: Project) -> None:
    told = old.json("status", "plan.yaml")
    assert [(stage["stage"], stage["state"]) for stage in told["stages"][:3]] == [
        ("search", "done"),
        ("label", "done"),
        ("further", "interrupted"),
    ]
    assert sorted(study["name"] for study in told["studies"]) == sorted(
        name for name in EXPECTED["trials"] if not name.endswith("controls")
    )
    assert {row["stage"] for row in told["results"]} == {"reference", "search"}


def test_a_killed_run_goes_on_and_does_nothing_again(old: Project) -> None:
    done = old.run("run", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert "search: done before, nothing changed" in done.stderr
    assert "label: done before, nothing changed" in done.stderr
    assert "done again" not in done.stderr
    found = outcome(old)
    # the figures were computed on another machine
    assert json.loads(json.dumps(found["trials"])) == approximately(EXPECTED["trials"])
    labels = {f"{labeller} {key}": list(answer) for (labeller, key), answer in found["labels"].items()}
    assert labels == approximately(EXPECTED["labels"])
    shards = [{column: values for column, values in shard.items() if column != "model"} for shard in found["shards"]]
    assert [plain(shard) for shard in shards] == approximately(EXPECTED["shards"])
    assert {name.partition("/")[0] for name in found["kept"]} == {"search", "further"}
    again = old.run("run", "plan.yaml")
    stages = ("search", "label", "further", "ensemble", "infer", "monitor")
    assert [line for line in again.stderr.splitlines() if "done before" in line] == [
        f"{stage}: done before, nothing changed" for stage in stages
    ]


def plain(shard: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {column: [getattr(v, "isoformat", lambda v=v: v)() for v in values] for column, values in shard.items()}


def approximately(value: Any) -> Any:
    """Compares equal to the same JSON with numbers that differ by at most 1e-4."""
    if isinstance(value, dict):
        return {key: approximately(item) for key, item in value.items()}
    if isinstance(value, list):
        return [approximately(item) for item in value]
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value
