"""Bad input of every kind: one clear message, exit 1, no traceback, and nothing lost."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from tests.helpers.small_project import Project, write_csv
from tests.helpers.tiny_encoders import easy_texts

ROWS = [(text, ("anger", "joy", "sadness")[i]) for text, i in zip(*easy_texts(60, seed=3), strict=True)]


def invoke(project: Project, *words: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(project.folder)
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command that must fail with one message; returns the message."""

    def run(*words: str) -> str:
        done = invoke(project, *words, monkeypatch=monkeypatch)
        assert done.exit_code == 1, done.output
        assert "Traceback" not in done.output
        return " ".join(done.stderr.split())

    return run


def replace_rows(project: Project, rows: list[tuple[str, str]], **more: str) -> None:
    write_csv(project.folder / "original.csv", ["text", "label"], rows, **more)


def test_a_plan_with_six_mistakes_tells_all_of_them(project: Project, fails: Callable[..., str]) -> None:
    project.write(
        ("name: small", "name: ''"),
        ("validation: 0.2", "validation: 2"),
        ("trials: 3", "trials: zero"),
        ("keep: 2", "kep: 2"),
        ("sample: 60", "sample: -1"),
        ("anger: -1, joy: 1", "angr: -1, joy: 1, anger: 1"),
    )
    told = fails("run", "plan.yaml")
    assert "6 problems in the plan" in told
    for words in ("validation", "'zero'", "did you mean 'keep'", "-1", "'angr'"):
        assert words in told
    assert not project.workspace.exists()


def test_a_missing_file(project: Project, fails: Callable[..., str]) -> None:
    (project.folder / "original.csv").unlink()
    assert "original.train[0]" in (told := fails("search", "plan.yaml"))
    assert "original.csv" in told


def test_a_missing_column_names_those_there_are(project: Project, fails: Callable[..., str]) -> None:
    write_csv(project.folder / "original.csv", ["texts", "label"], ROWS)
    told = fails("search", "plan.yaml")
    assert "'text'" in told
    assert "texts" in told
    assert "label" in told


def test_a_label_that_the_plan_does_not_know(project: Project, fails: Callable[..., str]) -> None:
    replace_rows(project, [*ROWS, ("what is this", "confusion")])
    assert "confusion" in fails("search", "plan.yaml")


def test_a_label_of_the_plan_without_a_row(project: Project, fails: Callable[..., str]) -> None:
    replace_rows(project, [row for row in ROWS if row[1] != "joy"])
    assert "joy" in fails("search", "plan.yaml")


@pytest.mark.slow
def test_one_class_only(project: Project, fails: Callable[..., str]) -> None:
    replace_rows(project, [row for row in ROWS if row[1] == "joy"])
    assert "joy" in fails("search", "plan.yaml")


@pytest.mark.parametrize("content", [b"", b"text,label\n"])
def test_an_empty_file(project: Project, fails: Callable[..., str], content: bytes) -> None:
    (project.folder / "original.csv").write_bytes(content)
    assert "original.train" in fails("search", "plan.yaml")


def test_empty_texts_and_missing_labels_are_dropped_and_counted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_rows(
        project, [*ROWS, ("", "joy"), ("   ", "joy"), ("NaN", "joy"), ("no label here", ""), ("x" * 10_000, "joy")]
    )
    done = invoke(project, "check", "plan.yaml", "--json", monkeypatch=monkeypatch)
    assert done.exit_code == 0, done.output
    dropped = json.loads(done.stdout)["dropped"]
    assert dropped["train: empty text"] == 3
    assert dropped["train: no label"] == 1


def test_a_long_comment_goes_through_the_whole_pipeline(project: Project) -> None:
    with (project.folder / "gold.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    write_csv(project.folder / "gold.csv", rows[0], [("long", "furious " * 1250, "anger"), *rows[1:]])
    more = ("--set", "candidates=[models/bert]", "--set", "search.trials=1", "--set", "further.trials=1")
    done = project.run("run", "plan.yaml", *more)
    assert done.returncode == 0, done.stderr


def test_a_cp949_file_read_as_utf_8_says_which_encoding_to_give(project: Project, fails: Callable[..., str]) -> None:
    replace_rows(project, [("오늘 정말 화가 났습니다", "anger"), *ROWS], encoding="cp949")
    told = fails("search", "plan.yaml")
    assert "encoding: cp949" in told
    assert "original.csv" in told


def test_a_candidate_that_is_not_there_while_offline(project: Project, fails: Callable[..., str]) -> None:
    told = fails("search", "plan.yaml", "--set", "candidates=[nobody/no-such-model]")
    assert "nobody/no-such-model" in told
    assert "HF_HUB_OFFLINE" in told


def test_a_candidate_folder_that_is_not_there(project: Project, fails: Callable[..., str]) -> None:
    assert "no such folder" in fails("search", "plan.yaml", "--set", "candidates=[./models/brt]")


def test_a_workspace_that_is_not_writable(project: Project, fails: Callable[..., str]) -> None:
    (project.folder / "taken").write_text("a file, where a folder is wanted")
    assert "workspace" in fails("search", "plan.yaml", "--set", "workspace=taken/run")


def test_a_plan_changed_after_its_study_began(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(finished, "run", "plan.yaml", "--set", "seed=14", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    told = " ".join(done.stderr.split())
    assert "seed: was 13, is 14" in told
    assert "--anew search" in told
    assert finished.json("search", "plan.yaml")["studies"][0]["complete"] >= 1  # nothing was lost


def test_stage_two_does_not_mix_trials_on_differently_calibrated_labels(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--set", "pseudo_label.calibrate=bias")
    assert finished.json("label", "plan.yaml", *more)["calibration"]["kind"] == "bias"
    done = invoke(finished, "further", "plan.yaml", *more, monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "calibration: was null, is" in " ".join(done.stderr.split())


def test_changed_data_is_noticed_too(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with (finished.folder / "original.csv").open("a", encoding="utf-8") as file:
        file.write("one more furious day,anger\n")
    done = invoke(finished, "search", "plan.yaml", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "original.train (content)" in " ".join(done.stderr.split())


def test_beginning_anew_is_possible_and_keeps_the_labels(finished: Project) -> None:
    more = ("--set", "seed=14", "--set", "candidates=[models/bert]", "--set", "search.trials=1")
    done = finished.run("search", "plan.yaml", "--anew", "search", *more)
    assert done.returncode == 0, done.stderr
    told = finished.json("status", "plan.yaml", *more)
    assert [study["candidate"] for study in told["studies"]] == ["models/bert"]


@pytest.mark.parametrize("command", ["ensemble", "further"])
def test_models_are_not_judged_on_splits_dealt_otherwise(
    finished: Project, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """They would meet texts that they were trained on."""
    done = invoke(finished, command, "plan.yaml", "--set", "seed=99", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "seed: was 13, is 99" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "words", [("predict", "plan.yaml", "a text"), ("infer", "plan.yaml"), ("export", "plan.yaml", "x")]
)
def test_labels_in_another_order_are_refused(
    finished: Project, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    done = invoke(finished, *words, "--set", "labels=[joy, sadness, anger]", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "was trained for anger, joy, sadness, in this order" in " ".join(done.stderr.split())


def test_a_stage_does_not_forget_what_it_cannot_do_again(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(finished, "monitor", "plan.yaml", "--anew", "search", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "moodline run plan.yaml --anew search" in " ".join(done.stderr.split())
    assert len(finished.json("status", "plan.yaml")["studies"]) == 4


def test_check_reads_the_samples_sources_and_asks_for_the_labeller(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        ("sample: 60", "sample: 60, sources: [{path: nowhere.csv}]"), ("model: models/lm", "model: nobody/llm")
    )
    done = invoke(project, "check", "plan.yaml", "--json", monkeypatch=monkeypatch)
    told = " ".join(json.loads(done.stdout)["problems"])
    assert "nowhere.csv" in told
    assert "nobody/llm" in told


def test_a_run_with_a_labeller_that_is_not_there_stops_before_stage_one(
    project: Project, fails: Callable[..., str]
) -> None:
    project.write(("model: models/lm", "model: nobody/llm"))
    assert "nobody/llm" in fails("run", "plan.yaml")
    states = {stage["stage"]: stage["state"] for stage in project.json("status", "plan.yaml")["stages"]}
    assert states["search"] == "waiting"


@pytest.mark.parametrize("command", ["infer", "monitor", "further"])
def test_a_stage_before_its_time_says_which_comes_first(
    project: Project, fails: Callable[..., str], command: str
) -> None:
    told = fails(command, "plan.yaml")
    assert "do it with: moodline" in told


@pytest.mark.parametrize(
    ("column", "words"), [("tiem", "tiem"), ("text", "time")], ids=["no such column", "a column that holds no times"]
)
def test_a_wrong_time_column(project: Project, fails: Callable[..., str], column: str, words: str) -> None:
    project.write(("time: written_at", f"time: {column}"))
    assert words in (told := fails("label", "plan.yaml"))
    assert "comments" in told


def test_a_labeller_below_its_gate_stops_before_stage_two(project: Project) -> None:
    project.write(("sample: 60", "sample: 60, min_kappa: 0.9"))
    more = ("--set", "candidates=[models/bert]", "--set", "search.trials=1")
    done = project.run("run", "plan.yaml", *more)
    assert done.returncode == 1
    assert "min_kappa" in done.stderr
    states = {stage["stage"]: stage["state"] for stage in project.json("status", "plan.yaml", *more)["stages"]}
    assert states["label"] == "failed"
    assert states["further"] == "waiting"


def test_a_server_that_is_dead_loses_nothing(project: Project, fails: Callable[..., str]) -> None:
    project.write(("{model: models/lm}", "{base_url: 'http://127.0.0.1:9/v1', model: x, retries: 0}"))
    assert "127.0.0.1:9" in fails("label", "plan.yaml")


@pytest.mark.parametrize("words", [("run",), ("run", "plan.yaml", "--nonsense"), ("evaluate", "plan.yaml")])
def test_wrong_usage_exits_with_2(project: Project, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert invoke(project, *words, monkeypatch=monkeypatch).exit_code == 2


def test_init_does_not_overwrite(project: Project, fails: Callable[..., str]) -> None:
    before = project.plan.read_text()
    assert "not overwritten" in fails("init")
    assert project.plan.read_text() == before


def test_with_json_an_error_is_one_object_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(project, "predict", "plan.yaml", "text", "--json", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert "error" in json.loads(done.stdout)


def test_check_with_json_lists_the_problems(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.folder / "gold.csv").unlink()
    done = invoke(project, "check", "plan.yaml", "--json", "--set", "candidates=[./x]", monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["problems"]) == 2


def test_check_tells_of_a_store_and_files_that_cannot_be_used(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, files = "store=mysql://me:s3cret@db/moods", "files=nowhere://bucket"
    words = ("check", "plan.yaml", "--json", "--set", store, "--set", files)
    done = invoke(project, *words, monkeypatch=monkeypatch)
    assert done.exit_code == 1
    first, second = json.loads(done.stdout)["problems"]
    assert "name a PostgreSQL database" in first
    assert "s3cret" not in first
    assert "nowhere://bucket" in second
    assert not project.workspace.exists()


def test_a_password_of_the_store_is_never_shown(project: Project, fails: Callable[..., str]) -> None:
    told = fails("search", "plan.yaml", "--set", "store=postgresql+psycopg://me:s3cret@127.0.0.1:1/none")
    assert "s3cret" not in told
    assert "127.0.0.1" in told


def test_a_deleted_csv_is_no_reason_for_half_a_result(finished: Project) -> None:
    """A page that cannot be written leaves the earlier one as it was."""
    page = finished.workspace / "results" / "index.html"
    before = page.read_bytes()
    (finished.folder / "comments.parquet").unlink()
    done = finished.run("run", "plan.yaml")
    assert done.returncode == 1
    assert "comments" in done.stderr
    assert page.read_bytes() == before
    assert isinstance(finished.folder, Path)


@pytest.mark.parametrize("words", [("predict", "plan.yaml", "so happy"), ("export", "plan.yaml", "out")], ids=str)
def test_what_needs_a_run_says_so_before_the_first_and_makes_nothing(project: Project, words: tuple[str, ...]) -> None:
    done = project.run(*words)
    assert done.returncode == 1
    assert "begin with: moodline run plan.yaml" in done.stderr
    assert not project.workspace.exists()
