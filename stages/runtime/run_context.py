"""What every stage of a run works with: the plan, its store and files, and the folders of the workspace."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from stages.plan.schema import Plan
from stages.runtime.compute_dtype import keep_precision
from stages.runtime.local_workers import LocalWorkers
from stages.runtime.progress import ProgressReporter, SilentReporter
from storage.database.open_store import find_store, open_store
from storage.files.file_store import FileStore
from storage.process_identity import ProcessIdentity, this_process
from transfer.errors import UserError

# Prefixes of names in files.
SHARDS = "shards"
SAMPLES = "samples"
ADAPTERS = "adapters"
ADAPTED = "adapted"


@dataclass(frozen=True)
class Run:
    """An opened plan. One process coordinates it (storage.locks.workspace_lock); others read it or join its searches.

    local_workers: those that the coordinator starts when it begins a study. loaded: what was read once for all stages,
    by name: see stages.datasets.run_data.
    """

    plan: Plan
    engine: Engine
    files: FileStore
    worker: ProcessIdentity
    report: ProgressReporter
    local_workers: LocalWorkers = field(default_factory=LocalWorkers)
    loaded: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def root(self) -> Path:
        """The workspace."""
        return self.plan.root

    @property
    def cache(self) -> Path:
        """What can be made again: tokenised texts. Safe to delete."""
        return self.root / "cache"

    @property
    def scratch(self) -> Path:
        """Checkpoints of running trials, on this machine."""
        return self.root / "scratch"

    @property
    def results(self) -> Path:
        """What is made for people: tables, pictures, the page."""
        return self.root / "results"

    def candidate(self, name: str) -> str:
        """A candidate as it is loaded: an absolute folder where it is one, else its hub name."""
        return candidate_location(self.plan, name)


def store_url(plan: Plan) -> str:
    """The database of the plan: its own (a SQLite file is relative to the plan's folder), or one in the workspace."""
    if plan.store is None:
        return f"sqlite:///{plan.root / 'moodline.db'}"
    url = os.path.expandvars(plan.store)
    path = url.removeprefix("sqlite:///")
    return f"sqlite:///{(plan.base / os.path.expanduser(path)).resolve()}" if path not in {url, ""} else url


def files_place(plan: Plan) -> str:
    """Where weights and shards are: the plan's own URL or folder (relative to the plan's), or in the workspace."""
    if plan.files is None:
        return str(plan.root / "files")
    place = os.path.expandvars(plan.files)
    return place if "://" in place else str((plan.base / os.path.expanduser(place)).resolve())


def open_run(plan: Plan, report: ProgressReporter | None = None) -> Run:
    """Opens the plan's store and files, and creates what is missing.

    Raises UserError where the workspace cannot be written, StoreError where the store cannot be opened.
    """
    check_writable(plan)
    try:
        plan.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(plan.root, error.strerror) from error
    files = files_of(plan)
    engine = open_store(store_url(plan))
    keep_precision(engine, plan.name)
    return Run(plan, engine, files, this_process(), report or SilentReporter())


def find_run(plan: Plan) -> Run | None:
    """The plan's run, for reading; None where it was never begun. Nothing is created."""
    engine = find_store(store_url(plan))
    if engine is None:
        return None
    return Run(plan, engine, files_of(plan), this_process(), SilentReporter())


def files_of(plan: Plan) -> FileStore:
    """The plan's files; nothing is created. Raises StoreError where such a place cannot be used."""
    return FileStore(files_place(plan), cache=plan.root / "cache" / "files")


def check_writable(plan: Plan) -> None:
    """Raises UserError where the workspace cannot be created or written."""
    there = plan.root
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(plan.root, f"{there} is {'not writable' if there.is_dir() else 'no folder'}")


def _unwritable(root: Path, why: str | None) -> UserError:
    return UserError(f"workspace: cannot write to {root}: {why}", "set workspace: in the plan to another folder")


def candidate_location(plan: Plan, name: str) -> str:
    """A folder relative to the plan's wins over a hub name; what can only be a folder must exist.

    Raises UserError for a path that leads to no folder.
    """
    expanded = os.path.expanduser(os.path.expandvars(name))
    folder = plan.base / expanded
    if folder.is_dir():
        return str(folder.resolve())
    if expanded.startswith((".", "/", "~", "$")) or expanded.count("/") > 1:
        raise UserError(
            f"candidate '{name}': no such folder: {folder}",
            "a hub name has the form owner/name; a folder is relative to the plan's",
        )
    return expanded


def slug(name: str) -> str:
    """A folder's name for a study: readable, and never the same for two."""
    return re.sub(r"[^\w.-]+", "-", name)[:80] + "-" + hashlib.sha256(name.encode()).hexdigest()[:6]
