"""Time limits and queued trials, from the command line."""

import json

import pytest

from tests.helpers.small_project import Project

SHORT = ("--set", "search.timeout=0.01s")


def trials(project: Project, *words: str) -> list[int]:
    return [study["complete"] + study["pruned"] for study in project.json(*words)["studies"]]


@pytest.mark.slow
def test_a_run_builds_on_a_search_that_its_time_limit_stopped_and_search_goes_on_with_it(project: Project) -> None:
    first = project.run("run", "plan.yaml", "--json", *SHORT)
    assert first.returncode == 0, first.stderr
    assert "its time limit of 0.01s stopped it after 1 of 3 trials of models/bert" in first.stderr
    assert "moodline search plan.yaml" in first.stderr
    states = {stage["stage"]: stage["state"] for stage in json.loads(first.stdout)["stages"]}
    assert states.pop("search") == "stopped"
    assert set(states.values()) == {"done"}
    again = project.run("run", "plan.yaml", *SHORT)
    assert again.returncode == 0, again.stderr
    assert "trial" not in again.stderr.split("stopped it after")[0]  # none was begun
    assert trials(project, "search", "plan.yaml", *SHORT) == [2, 2]  # by its own command it goes on, one at a time
    assert trials(project, "search", "plan.yaml") == [3, 3]
    states = {stage["stage"]: stage["state"] for stage in project.json("status", "plan.yaml")["stages"]}
    assert states["search"] == "done"


@pytest.mark.slow
def test_a_queued_trial_is_checked_told_and_run(project: Project) -> None:
    words = ("enqueue", "plan.yaml", "learning_rate=4e-3", "--candidate", "models/bert")
    early = project.run(*words)
    assert early.returncode == 1
    assert "nothing has been run yet" in early.stderr
    project.json("search", "plan.yaml", *SHORT)
    told = project.json(*words)
    assert (told["trial"], told["params"]["learning_rate"], told["waiting"], told["left"]) == (1, 4e-3, 1, 2)
    wrong = project.run(*words, "epochs=3", "learning_rat=1")
    assert wrong.returncode == 1
    assert "epochs is fixed at 8 in this study" in wrong.stderr
    assert "did you mean 'learning_rate'?" in wrong.stderr
    assert [s["waiting"] for s in project.json("status", "plan.yaml")["studies"]] == [1, 0]
    project.json("search", "plan.yaml", "--set", "search.trials=2")
    import optuna

    storage = f"sqlite:///{project.workspace / 'moodline.db'}"
    study = optuna.load_study(study_name="small · search · models/bert", storage=storage)
    assert [trial.params["learning_rate"] for trial in study.trials][1:] == [4e-3]


@pytest.mark.slow
def test_check_and_search_note_a_budget_too_small_for_hyperband(project: Project) -> None:
    small = ("--set", "search.pruner=hyperband", "--set", "search.timeout=0.01s")
    notes = project.json("check", "plan.yaml", *small)["notes"]
    assert len(notes) == 2
    assert notes[0].startswith("small · search · models/bert: 3 trials are few for hyperband")
    done = project.run("search", "plan.yaml", *small, "--set", "candidates=[models/bert]")
    assert done.returncode == 0, done.stderr
    assert "3 trials are few for hyperband" in done.stderr
