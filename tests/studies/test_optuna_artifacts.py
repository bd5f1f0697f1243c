"""Files attached to a trial: whole, attached once, and removed with their study."""

import json

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta

from storage.files.file_store import FileStore
from studies.optuna_artifacts import ArtifactFiles, attach, forget_artifacts
from studies.optuna_storage import RetryingStorage
from tests.helpers.shown_trials import a_trial, attached


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
