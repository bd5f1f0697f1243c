import csv
import io
import json
from dataclasses import replace

import optuna
import pytest
from sqlalchemy import Engine

from storage.errors import StoreError
from storage.files.file_store import FileStore
from storage.process_identity import this_process
from studies import optuna_artifacts
from studies.dashboard import study_updates as board
from studies.dashboard.study_updates import labels_csv, show_trial
from studies.optuna_artifacts import ArtifactFiles
from studies.optuna_storage import open_optuna
from studies.trials.trial_result import TrialEnd
from studies.workers.trial_claims import TrialClaims
from studies.workers.worker_loop import open_study, work
from tests.helpers.formula_search import Finish, a_search, formula
from tests.helpers.shown_trials import KOREAN, a_result, a_trial, attached, size_of, some_scores


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


def test_plots_are_kept_as_the_dashboard_reads_them(shown: Finish) -> None:
    plots_of = pytest.importorskip("optuna_dashboard._custom_plot_data").get_plotly_graph_objects
    from plotly.graph_objects import Figure

    study, _ = shown(20)
    plots = plots_of(study._storage.get_study_system_attrs(study._study_id))
    assert set(plots) == {"importance", "value-against-training-time", "best-against-time-spent"}
    for plot in plots.values():
        assert Figure(json.loads(plot)).data  # plotly refuses what it does not know


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
