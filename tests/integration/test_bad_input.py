"""Bad input at the command line: one clear message, exit 1, no traceback, and nothing lost.

The wording of each message is tested with the module that writes it.
"""

import csv
import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from cli import app
from tests.helpers.small_project import Project, write_csv

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs a command in a project's folder, within this process."""

    def run(project: Project, *words: str) -> Result:
        monkeypatch.chdir(project.folder)
        return CliRunner().invoke(app, list(words))

    return run


@pytest.fixture
def failure(invoke: Invoke) -> Callable[..., str]:
    """Runs a command that must fail with one message; returns the message."""

    def run(project: Project, *words: str) -> str:
        done = invoke(project, *words)
        assert done.exit_code == 1, done.output
        assert "Traceback" not in done.output
        return " ".join(done.stderr.split())

    return run


def test_every_mistake_in_a_plan_is_reported_before_anything_is_made(
    project: Project, failure: Callable[..., str]
) -> None:
    project.write(
        ("name: small", "name: ''"),
        ("validation: 0.2", "validation: 2"),
        ("trials: 3", "trials: zero"),
        ("keep: 2", "kep: 2"),
        ("sample: 60", "sample: -1"),
        ("anger: -1, joy: 1", "angr: -1, joy: 1, anger: 1"),
    )
    message = failure(project, "run", "plan.yaml")
    assert "6 problems in the plan" in message
    for words in ("validation", "'zero'", "did you mean 'keep'", "-1", "'angr'"):
        assert words in message
    assert not project.workspace.exists()


def test_a_missing_file_is_named_with_its_key(project: Project, failure: Callable[..., str]) -> None:
    (project.folder / "original.csv").unlink()
    message = failure(project, "search", "plan.yaml")
    assert "original.train[0]" in message
    assert "original.csv" in message


def test_a_long_comment_goes_through_the_whole_pipeline(project: Project, invoke: Invoke) -> None:
    with (project.folder / "gold.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    write_csv(project.folder / "gold.csv", rows[0], [("long", "furious " * 1250, "anger"), *rows[1:]])
    short = ("candidates=[models/bert]", "search.trials=1", "search.space.epochs=1", "further.trials=1")
    done = invoke(project, "run", "plan.yaml", *[word for setting in short for word in ("--set", setting)])
    assert done.exit_code == 0, done.stderr


def test_a_plan_changed_after_its_study_began_is_refused_and_nothing_lost(
    finished: Project, invoke: Invoke, failure: Callable[..., str]
) -> None:
    message = failure(finished, "run", "plan.yaml", "--set", "seed=14")
    assert "seed: was 13, is 14" in message
    assert "--anew search" in message
    assert json.loads(invoke(finished, "search", "plan.yaml", "--json").stdout)["studies"][0]["complete"] >= 1


def test_stage_two_does_not_mix_trials_on_differently_calibrated_labels(
    finished: Project, invoke: Invoke, failure: Callable[..., str]
) -> None:
    more = ("--set", "pseudo_label.calibrate=bias")
    labelled = json.loads(invoke(finished, "label", "plan.yaml", "--json", *more).stdout)
    assert labelled["calibration"]["kind"] == "bias"
    assert "calibration: was null, is" in failure(finished, "further", "plan.yaml", *more)


def test_a_search_that_is_reset_has_the_studies_of_the_plan_as_it_is_now(finished: Project, invoke: Invoke) -> None:
    more = ("--set", "seed=14", "--set", "candidates=[models/bert]", "--set", "search.trials=1")
    done = invoke(finished, "search", "plan.yaml", "--anew", "search", *more)
    assert done.exit_code == 0, done.stderr
    status = json.loads(invoke(finished, "status", "plan.yaml", "--json", *more).stdout)
    assert [study["candidate"] for study in status["studies"]] == ["models/bert"]


@pytest.mark.parametrize(
    "words", [("predict", "plan.yaml", "a text"), ("infer", "plan.yaml"), ("export", "plan.yaml", "x")]
)
def test_labels_in_another_order_are_refused(
    finished: Project, failure: Callable[..., str], words: tuple[str, ...]
) -> None:
    message = failure(finished, *words, "--set", "labels=[joy, sadness, anger]")
    assert "was trained for anger, joy, sadness, in this order" in message


def test_a_run_with_a_labeller_that_is_not_there_stops_before_stage_one(
    project: Project, invoke: Invoke, failure: Callable[..., str]
) -> None:
    project.write(("model: models/lm", "model: nobody/llm"))
    assert "nobody/llm" in failure(project, "run", "plan.yaml")
    stages = json.loads(invoke(project, "status", "plan.yaml", "--json").stdout)["stages"]
    assert {stage["stage"]: stage["state"] for stage in stages}["search"] == "waiting"


def test_with_json_an_error_is_one_object_too(project: Project, invoke: Invoke) -> None:
    done = invoke(project, "predict", "plan.yaml", "text", "--json")
    assert done.exit_code == 1
    assert "error" in json.loads(done.stdout)


def test_check_with_json_lists_the_problems(project: Project, invoke: Invoke) -> None:
    (project.folder / "gold.csv").unlink()
    done = invoke(project, "check", "plan.yaml", "--json", "--set", "candidates=[./x]")
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["problems"]) == 2


def test_comments_that_are_gone_leave_the_earlier_page_as_it_was(
    finished: Project, failure: Callable[..., str]
) -> None:
    page = finished.workspace / "results" / "index.html"
    before = page.read_bytes()
    (finished.folder / "comments.parquet").unlink()
    assert "comments" in failure(finished, "run", "plan.yaml")
    assert page.read_bytes() == before


@pytest.mark.parametrize("words", [("predict", "plan.yaml", "so happy"), ("export", "plan.yaml", "out")], ids=str)
def test_what_needs_a_run_says_so_before_the_first_and_makes_nothing(
    project: Project, failure: Callable[..., str], words: tuple[str, ...]
) -> None:
    assert "begin with: moodline run plan.yaml" in failure(project, *words)
    assert not project.workspace.exists()
