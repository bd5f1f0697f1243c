"""The dashboard that the command serves: on loopback, and read-only."""

import json
import urllib.error
import urllib.request

import pytest

from tests.helpers.served_dashboard import served
from tests.helpers.small_project import Project


def test_the_dashboard_shows_the_studies_on_loopback_and_cannot_delete_them(finished: Project) -> None:
    process, printed = served(finished)
    try:
        assert printed["url"].startswith("http://127.0.0.1:")
        assert printed["read_only"] is True
        with urllib.request.urlopen(f"{printed['url']}api/studies", timeout=240) as answer:
            studies = json.load(answer)["study_summaries"]
        assert {study["study_name"].split(" · ")[1] for study in studies} == {"search", "further"}
        wipe = urllib.request.Request(f"{printed['url']}api/studies/{studies[0]['study_id']}", method="DELETE")
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(wipe, timeout=240)
    finally:
        process.terminate()
        process.communicate(timeout=240)
    assert len(finished.json("status", "plan.yaml")["studies"]) == 4


def test_without_a_store_the_dashboard_says_what_comes_first(project: Project) -> None:
    done = project.run("dashboard", "plan.yaml")
    assert done.returncode == 1
    assert "moodline run plan.yaml" in done.stderr
    assert not project.workspace.exists()


def test_plain_optuna_dashboard_reads_the_same_store(finished: Project) -> None:
    import optuna

    names = optuna.get_all_study_names(f"sqlite:///{finished.workspace / 'moodline.db'}")
    assert len(names) == 4  # two candidates', stage two's, and its controls'
