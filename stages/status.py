"""Where a run stands, read from the store without disturbing who works on it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna

from stages.run import overview
from stages.searching import summary
from stages.workspace import Run, store_url
from storage import claims
from storage.leader import holder
from studies.store import open_optuna


def run_status(run: Run) -> dict[str, Any]:
    """The result has `name`, `stages`, `studies` (as `search` gives them), `leader`, `workers` and `disk_bytes`."""
    storage = open_optuna(store_url(run.plan))
    prefix = f"{run.plan.name} · "
    names = [name for name in optuna.get_all_study_names(storage) if name.startswith(prefix)]
    studies = []
    for name in names:
        study = optuna.load_study(study_name=name, storage=storage)
        target = run.plan.further.trials if " · further · " in name else run.plan.search.trials
        studies.append(summary(study, target))
    leader = holder(run.root)
    seen = overview(run)
    for stage in seen["stages"]:
        if stage["state"] == "running" and leader is None:
            stage["state"] = "interrupted"  # its process is gone: run again to go on
    return {
        "name": run.plan.name,
        "workspace": str(run.root),
        "stages": seen["stages"],
        "studies": studies,
        "leader": None if leader is None else {"host": leader.host, "pid": leader.pid, "since": str(leader.since)},
        "workers": [
            {"study": slot.study, "trial": slot.trial, "worker": slot.worker}
            for name in names
            for slot in claims.slots(run.engine, name)
            if slot.state == "open"
        ],
        "disk_bytes": run.files.size() + _bytes_below(run.root, without=run.root / "files"),
        "results": seen["results"],
    }


def _bytes_below(folder: Path, without: Path) -> int:
    """Bytes of the files below a folder; one that is renamed or removed meanwhile is passed over."""
    total = 0
    for place, _, names in os.walk(folder):
        if without not in (Path(place), *Path(place).parents):
            for name in names:
                with suppress(OSError):
                    total += (Path(place) / name).stat().st_size
    return total
