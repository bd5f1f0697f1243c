import csv
import io
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from PIL import Image
from sqlalchemy import Engine

from storage.errors import StoreError
from storage.files.file_store import FileStore
from storage.locks.process_identity import this_process
from studies import optuna_artifacts
from studies.dashboard import study_updates as board
from studies.dashboard.study_note import END, read_note
from studies.dashboard.study_plots import importance_plot
from studies.dashboard.study_updates import StudyUpdates, labels_csv, show_trial
from studies.dashboard.trial_figures import blues, confusion_png, curves_png, ticks
from studies.figures.fonts import font_for
from studies.learning_curve import Epoch
from studies.optuna_artifacts import ArtifactFiles, attach, forget_artifacts
from studies.optuna_storage import RetryingStorage, open_optuna
from studies.top_k_models import TopKModels
from studies.trial_claims import TrialClaims
from studies.trial_result import TrialResult
from studies.worker_loop import TrialEnd, open_study, work
from tests.helpers.formula_search import RunIt, a_search, formula
from transfer.metrics.scores import Scores, score

KOREAN = ["분노", "슬픔", "$기쁨$ with a name that is long"]

CURVE = [Epoch(0, 1, 1.0, 0.4, 3e-5, 1.0), Epoch(0, 2, 0.5, 0.6, 1e-5, 1.0)]


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", cache=tmp_path / "cache")


@pytest.fixture
def study(url: str) -> optuna.Study:
    study = optuna.create_study(study_name="study", storage=open_optuna(url), direction="maximize")
    study.set_metric_names(["macro-F1"])
    return study


def some_scores() -> Scores:
    truth = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 1, 1, 2, 0]] * 0.8 + 0.2 / 3
    return score(probabilities, truth, KOREAN)


def a_result(best_epoch: int = 2) -> TrialResult:
    return TrialResult(
        value=0.5,
        spread=None,
        is_pruned=False,
        reason=None,
        collapsed=None,
        curve=tuple(CURVE[:best_epoch]),
        kept=CURVE[best_epoch - 1],
        scores=some_scores(),
        folder=Path("unused"),
        seeds=(1,),
        settings={},
        token_budget=1,
        recomputes=False,
        was_short=False,
        precision="float32",
    )


def a_trial(study: optuna.Study, files: FileStore) -> optuna.Trial:
    trial = study.ask({"learning_rate": optuna.distributions.FloatDistribution(0, 1)})
    trial.report(0.4, 1)
    trial.report(0.5, 2)
    show_trial(trial, files, a_result())
    return trial


def attached(study: optuna.Study, number: int = 0) -> dict[str, str]:
    """Id by file name, as Optuna's own function finds them; fails where one is there twice."""
    found = get_all_artifact_meta(study.trials[number], storage=study._storage)
    assert len({meta.filename for meta in found}) == len(found)
    return {meta.filename: meta.artifact_id for meta in found}


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_a_trial_has_its_pictures_and_its_table_once(study: optuna.Study, files: FileStore) -> None:
    trial = a_trial(study, files)
    show_trial(trial, files, a_result())  # its end, run again after a kill
    study.tell(trial, 0.5)
    found = attached(study)
    assert set(found) == {"confusion.png", "curves.png", "labels.csv"}
    assert sorted(files.names("artifacts/")) == sorted(f"artifacts/{own}" for own in found.values())
    with ArtifactFiles(files).open_reader(found["confusion.png"]) as picture:
        assert min(size_of(picture.read())) > 200
    table = list(csv.DictReader(io.TextIOWrapper(ArtifactFiles(files).open_reader(found["labels.csv"]))))
    assert [row["label"] for row in table] == KOREAN
    assert [int(table[0][f"as {label}"]) for label in KOREAN] == [1, 1, 0]


def test_a_kill_between_file_and_description_is_mended(
    study: optuna.Study, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = study.ask()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RetryingStorage, "set_trial_attributes", killed)
        with pytest.raises(KeyboardInterrupt):
            attach(trial, files, {"a.csv": b"one"})
    assert attached(study) == {}  # a file of which nobody speaks, and never the other way round
    attach(trial, files, {"a.csv": b"one"})
    assert files.names() == [f"artifacts/{attached(study)['a.csv']}"]


def test_what_was_deleted_in_the_dashboard_comes_back_when_the_end_is_run_again(
    study: optuna.Study, files: FileStore
) -> None:
    trial = study.ask()
    attach(trial, files, {"a.csv": b"one"})
    own = attached(study)["a.csv"]
    ArtifactFiles(files).remove(own)
    study._storage.set_trial_system_attr(trial._trial_id, f"artifacts:{own}", json.dumps(None))  # as the dashboard does
    with pytest.raises(TypeError):
        get_all_artifact_meta(trial)
    attach(trial, files, {"a.csv": b"two"})
    assert ArtifactFiles(files).open_reader(attached(study)["a.csv"]).read() == b"two"


def test_a_full_disk_leaves_the_trial_to_be_gone_on_with(
    url: str, engine: Engine, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = a_search(trials=1)
    study = open_study(open_optuna(url), search)

    def full(*_: object) -> int:
        raise StoreError("files: cannot write: No space left on device")

    def run(trial: optuna.Trial, _: object) -> TrialEnd:
        ended = formula(trial)
        show_trial(trial, files, a_result(best_epoch=1))
        return ended

    dead = replace(this_process("gone"), process_started=1.0)
    with monkeypatch.context() as patched:
        patched.setattr(files, "publish", full)
        with pytest.raises(StoreError):
            work(study, search, TrialClaims(engine, search.name, dead), run, lambda: None)
    assert study.trials[0].state == optuna.trial.TrialState.RUNNING
    work(study, search, TrialClaims(engine, search.name, this_process()), run, lambda: None)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"]
    assert len(attached(study)) == 3


def test_a_study_that_is_forgotten_leaves_no_artifacts(study: optuna.Study, files: FileStore) -> None:
    for _ in range(2):
        study.tell(a_trial(study, files), 0.5)
    forget_artifacts(files, study)
    assert files.names() == []


def test_an_artifact_has_no_name_outside_its_folder(files: FileStore) -> None:
    from optuna.artifacts.exceptions import ArtifactNotFound

    for name in ("../../secret", "nothing-here", "/etc/passwd"):
        with pytest.raises(ArtifactNotFound):
            ArtifactFiles(files).open_reader(name)


@pytest.mark.parametrize("k", [2, 15, 60])
def test_pictures_of_few_and_many_labels_are_small(k: int) -> None:
    confusion = np.diag(range(k)).tolist()
    png = confusion_png(confusion, [f"감정 {i}" for i in range(k)], "title")
    assert max(size_of(png)) <= 720
    assert len(png) < 60_000
    assert len(curves_png([1.0] * k, {i + 1: 0.5 for i in range(k)}, "macro-F1", 1)) < 60_000


def test_labels_are_drawn_in_a_font_that_has_their_letters() -> None:
    assert {font_for(label, 11).getname()[0] for label in KOREAN} == {"NanumGothic"}
    assert font_for("гнев", 11).getname()[0] == "NanumGothic"
    assert font_for("غضب", 11).getname()[0] == "DejaVu Sans"


def test_a_matrix_shows_each_rows_shares_in_colour() -> None:
    picture = Image.open(io.BytesIO(confusion_png([[9, 1], [0, 5]], ["a", "b"], "title"))).convert("RGB")
    box = (84, 28, picture.width - 12, picture.height - 68)
    corners = [(box[0] + 4, box[1] + 4), (box[2] - 4, box[1] + 4), (box[0] + 4, box[3] - 4), (box[2] - 4, box[3] - 4)]
    seen = [picture.getpixel(corner) for corner in corners]
    assert seen == [tuple(colour) for colour in blues(np.array([0.9, 0.1, 0.0, 1.0])).tolist()]


def test_curves_rise_and_fall_with_their_values_and_leave_out_what_is_no_number() -> None:
    def heights(values: dict[int, float]) -> list[float]:
        picture = np.asarray(Image.open(io.BytesIO(curves_png([1.0], values, "macro-F1", 9))).convert("RGB")).astype(
            int
        )
        blue = (np.abs(picture - [0, 0x72, 0xB2]).sum(axis=2) < 60)[:, 290:]
        columns = np.flatnonzero(blue.any(axis=0))
        return [float(np.flatnonzero(blue[:, column]).mean()) for column in (columns[2], columns[-3])]

    first, last = heights({1: 0.2, 2: 0.4, 3: 0.9})
    assert last < first - 80  # rows are counted from above
    first, last = heights({1: 0.9, 2: float("nan"), 3: 0.2})
    assert last > first + 80


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.8571, 0.8573), (-3.0, 1200.0), (1.0, 1.05)])
def test_ticks_are_few_and_lie_within(low: float, high: float) -> None:
    found = ticks(low, high, 5)
    assert 2 <= len(found) <= 6
    assert low - 1e-9 <= found[0] < found[-1] <= high + 1e-9


Finish = Callable[..., tuple[optuna.Study, StudyUpdates]]


@pytest.fixture
def shown(run_it: RunIt, engine: Engine, files: FileStore, tmp_path: Path) -> Finish:
    """A search of formula trials, and its board as its leader keeps it."""

    def finish(trials: int = 12) -> tuple[optuna.Study, StudyUpdates]:
        search = a_search(trials=trials, attributes={"stage": "search", "candidate": "one"})
        study = run_it(search)
        board = StudyUpdates(study, search, TopKModels(engine, files, "plan", study, 3), tmp_path / "plan.yaml")
        board.begin()
        board.finish()
        return study, board

    return finish


def test_the_note_has_best_against_baseline_as_the_dashboard_reads_it(shown: Finish) -> None:
    note_of = pytest.importorskip("optuna_dashboard._note").get_note
    study, _ = shown()
    note = note_of(study)
    assert note == read_note(study._storage.get_study_system_attrs(study._study_id))
    assert f"| {study.best_trial.number} | {study.best_value:.4f} |" in note
    assert f"The untuned baseline (trial 0) has macro-F1 {study.trials[0].value:.4f}" in note
    assert study.metric_names == ["macro-F1"]
    assert study.user_attrs["trials"] == 12


def test_what_people_write_below_the_note_stays(shown: Finish) -> None:
    save_note = pytest.importorskip("optuna_dashboard").save_note
    study, shows = shown()
    attributes = study._storage.get_study_system_attrs
    save_note(study, read_note(attributes(study._study_id)).replace("Best of", "Old: best of") + "\nmine " * 900)
    shows._noted = -1
    shows.finish()
    note = read_note(attributes(study._study_id))
    assert note.startswith("## Best of")
    assert note.partition(END)[2].count("mine") == 900
    save_note(study, "all of it is mine")
    shows._noted = -1
    shows.finish()
    assert read_note(attributes(study._study_id)) == "all of it is mine"


def test_plots_are_kept_as_the_dashboard_reads_them(shown: Finish) -> None:
    plots_of = pytest.importorskip("optuna_dashboard._custom_plot_data").get_plotly_graph_objects
    from plotly.graph_objects import Figure

    study, _ = shown(20)
    plots = plots_of(study._storage.get_study_system_attrs(study._study_id))
    assert set(plots) == {"importance", "value-against-training-time", "best-against-time-spent"}
    for plot in plots.values():
        assert Figure(json.loads(plot)).data  # plotly refuses what it does not know


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("trials", [30, 80])
def test_importance_finds_the_parameter_that_matters(direction: Literal["maximize", "minimize"], trials: int) -> None:
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda t: (t.suggest_float("matters", 0, 1) - 0.8) ** 2 + 0 * t.suggest_float("idle", 0, 1), trials)
    plot = importance_plot(study, study.trials, "macro-F1")
    assert plot is not None
    bars = dict(zip(plot["data"][0]["y"], plot["data"][0]["x"], strict=True))
    assert bars["matters"] > bars["idle"]
    assert ("rough" in plot["layout"]["title"]["text"]) == (trials < 50)


def test_too_few_trials_have_no_importance(study: optuna.Study) -> None:
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), 5)
    assert importance_plot(study, study.trials, "macro-F1") is None


def test_notes_and_plots_come_now_and_then_not_after_each_trial(shown: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    _, shows = shown()
    said: list[str] = []
    monkeypatch.setattr(board, "write_note", lambda *_: said.append("note"))
    monkeypatch.setattr(board, "save_plot", lambda *_: said.append("plot"))
    for _ in range(10):
        shows.after_trial()
    assert said == []


def test_the_table_of_labels_has_every_figure() -> None:
    rows = list(csv.reader(io.StringIO(labels_csv(some_scores()))))
    assert rows[0] == ["label", "precision", "recall", "f1", "accuracy", "rows", *(f"as {x}" for x in KOREAN)]
    assert len(rows) == 4
    assert optuna_artifacts.artifact_id("s", 1, "a") != optuna_artifacts.artifact_id("s", 2, "a")
