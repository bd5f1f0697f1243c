"""Which trials' weights stay on disk: the best K of each study, each loadable by its name."""

from dataclasses import replace
from pathlib import Path

import optuna
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.files.file_store import FileStore
from storage.records import model_registry
from storage.records.model_registry import ModelRecord
from studies.ranking import rank, ranked


class TopKModels:
    """The kept models of one study.

    A model is published whole, then recorded, then the trial's end is recorded: a record always points at a whole
    folder, and a kill in between is repaired by repeating the trial's end. Those displaced are removed after that, so
    there is for a moment one more than `keep`.
    """

    def __init__(self, engine: Engine, files: FileStore, plan: str, study: optuna.Study, keep: int) -> None:
        self.engine, self.files, self.plan, self.study, self.keep = engine, files, plan, study, keep

    def wants(self, trial: int, value: float) -> bool:
        """Whether a trial of that value would be among the best `keep`."""
        own, others = rank(self.study, value, trial), [t for t in ranked(self.study) if t.number != trial]
        return sum(rank(self.study, other.value, other.number) < own for other in others) < self.keep

    def add(self, folder: Path, record: ModelRecord) -> None:
        """Publishes `folder` under the record's path and records it; repeated after a kill, it replaces itself.

        folder: its files are never changed after this, only removed: they may be the published ones under another name.
        """
        size = self.files.publish(folder, record.path, linked=True)
        model_registry.add(self.engine, replace(record, bytes=size))

    def tidy(self) -> None:
        """Removes the weights of the trials that are no longer among the best `keep`."""
        # read once for both: a trial that ends in between must not be missing from both
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.RUNNING))
        complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        best = {trial.number for trial in ranked(self.study, complete)[: self.keep]}
        running = {trial.number for trial in trials if trial.state == TrialState.RUNNING}
        for record in model_registry.models(self.engine, self.plan, study=self.study.study_name):
            if record.trial not in best | running:
                # first: a record leads to whole weights only
                model_registry.remove(self.engine, self.plan, record.name)
                self.files.remove(record.path)

    def remove_unrecorded(self, prefix: str) -> None:
        """Removes weights below `prefix` that no record names: a kill came between the two.

        Read in this order, names, trials, records, so that none that a worker is about to record is taken for such.
        """
        names = self.files.names(f"{prefix}/")
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        busy = tuple(f"trial-{trial.number:04d}" for trial in running)
        known = {record.path for record in model_registry.models(self.engine, self.plan, study=self.study.study_name)}
        for name in names:
            if name not in known and not name.endswith(busy):
                self.files.remove(name)
