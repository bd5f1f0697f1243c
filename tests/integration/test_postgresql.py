"""The command line on a PostgreSQL store: shared, killed and gone on with, as on SQLite."""

import pytest

from tests.helpers.small_project import Project


@pytest.fixture
def shared(project: Project, store_url: str) -> Project:
    """The project, its store on the server."""
    project.plan.write_text(f"{project.plan.read_text(encoding='utf-8')}store: {store_url}\n", encoding="utf-8")
    return project


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_search_of_two_workers_whose_leader_is_killed_ends_with_exact_totals(shared: Project) -> None:
    leader = shared.start("search", "plan.yaml", "--workers", "2", "--set", "search.trials=5")
    assert leader.stderr is not None
    while "trial 2, epoch 2" not in (line := leader.stderr.readline()):
        assert line, "the search ended before it could be killed"
    leader.kill()
    leader.communicate()
    for study in shared.json("search", "plan.yaml", "--workers", "2", "--set", "search.trials=5")["studies"]:
        assert study["complete"] + study["pruned"] == 5
        assert study["running"] == study["failed"] == study["waiting"] == 0
    told = shared.json("status", "plan.yaml", "--set", "search.trials=5")
    assert [study["complete"] + study["pruned"] for study in told["studies"]] == [5, 5]
    assert told["stages"][0]["state"] == "done"
