"""Optuna's artifacts on our Files: small files of a trial that optuna-dashboard shows, whole or not there at all."""

import json
import mimetypes
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import NAMESPACE_URL, uuid5

import optuna
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import StoreError
from storage.files.file_store import FileStore
from studies.legacy_names import legacy_study_name
from studies.optuna_storage import set_attributes

PREFIX = "artifacts"
# Optuna's own; it keeps each artifact's description as JSON under this and the artifact's id
ATTRIBUTE = "artifacts:"


class ArtifactFiles:
    """Optuna's ArtifactStore on Files, for the dashboard: in the workspace or wherever the plan's `files` lie."""

    def __init__(self, files: FileStore) -> None:
        self.files = files

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact, to be read. Raises ArtifactNotFound."""
        try:
            return self.files.fetch(_name(artifact_id)).open("rb")
        except (StoreError, FileNotFoundError, ValueError) as error:
            raise ArtifactNotFound("not found") from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keeps the content under the id."""
        _publish(self.files, artifact_id, content_body.read())

    def remove(self, artifact_id: str) -> None:
        """Removes the artifact; one that is not there is no error."""
        self.files.remove(_name(artifact_id))


def attach(
    trial: optuna.Trial, files: FileStore, contents: Mapping[str, bytes], figures: Mapping[str, Any] | None = None
) -> None:
    """Attaches files to a running trial, by file name; repeated after a kill, each is there once.

    figures: user attributes that are set in the same transaction. An artifact's id follows from study, trial and file
    name, and its file is whole before the trial refers to it: Optuna's own `upload_artifact` generates an id each time,
    and writes the description first. An artifact that someone deleted in the dashboard comes back with its trial's end
    run again. Raises StoreError where the file cannot be written: the trial is then gone on with later.
    """
    descriptions = {}
    for name, content in contents.items():
        own = artifact_id(trial.study.study_name, trial.number, name)
        _publish(files, own, content)
        mimetype, encoding = mimetypes.guess_type(name)
        description = {"artifact_id": own, "filename": name, "mimetype": mimetype or "text/plain", "encoding": encoding}
        descriptions[ATTRIBUTE + own] = json.dumps(description)
    set_attributes(trial, figures or {}, descriptions)


def artifact_id(study: str, trial: int, name: str) -> str:
    """The same for the same file of the same trial, whenever and wherever it is asked for."""
    return str(uuid5(NAMESPACE_URL, f"moodline/{legacy_study_name(study)}/{trial}/{name}"))


def forget_artifacts(files: FileStore, study: optuna.Study) -> None:
    """Removes the files of all of a study's artifacts, for one that is about to be deleted."""
    for trial in study.get_trials(deepcopy=False):
        for key in trial._system_attrs:
            if key.startswith(ATTRIBUTE):
                with suppress(ValueError):
                    files.remove(_name(key.removeprefix(ATTRIBUTE)))


def _name(artifact: str) -> str:
    return f"{PREFIX}/{artifact}"


def _publish(files: FileStore, artifact: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="moodline-") as folder:
        path = Path(folder, "artifact")
        path.write_bytes(content)
        files.publish(path, _name(artifact))
