"""Where a run stands, read from the store without disturbing who works on it, and without importing what trains."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Literal

from stages.plan.schema import Plan
from stages.runtime.disk_usage import disk
from stages.runtime.overview import overview, stages_of
from stages.runtime.run_context import Run, find_run
from storage.locks.workspace_lock import holder
from storage.records import trial_slots
from storage.records.trial_slots import Slot
from studies.study_summaries import StudySummary, TrialSummary, read_summaries
from studies.trial_claims import HEARTBEAT_TIMEOUT_SECONDS

SCORES = ("accuracy", "macro_f1", "weighted_f1")


def run_status(plan: Plan) -> dict[str, Any]:
    """Where the plan's run stands; a plan of which nothing was begun stays so: nothing is written.

    The result has `name`, `begun`, `stages`, `studies` (as `search` gives them, and `seconds_to_go`), `leader`,
    `workers` (who runs which trial, how old, how far), `seconds_to_go` of the searches (None where nothing tells it;
    roughly: mean trials, the workers of now), `disk_bytes`, `disk` and `results`.
    """
    run = find_run(plan)
    if run is None:
        return _not_begun(plan)
    seen = read_summaries(run.engine, f"{plan.name} · ")
    leader = holder(run.root)
    told = overview(run)
    for stage in told["stages"]:
        if stage["state"] == "running" and leader is None:
            stage["state"] = "interrupted"  # its process is gone: run again to go on
    slots = {study.name: _open_slots(run, study.name) for study in seen}
    workers = [
        _at_work(study, trial, _epochs(plan, study, trial), slots[study.name].get(trial.number))
        for study in seen
        for trial in study.running
    ]
    hands = max(1, sum(worker["alive"] for worker in workers))
    studies = [_study(study, _target(plan, study), workers, hands) for study in seen]
    sizes = disk(run)
    return {
        "name": plan.name,
        "begun": True,
        "workspace": str(run.root),
        "stages": told["stages"],
        "studies": studies,
        "leader": None if leader is None else {"host": leader.host, "pid": leader.pid, "since": str(leader.since)},
        "workers": workers,
        "seconds_to_go": _seconds_to_go(plan, seen, studies, hands),
        "disk_bytes": sum(sizes.values()),
        "disk": sizes,
        "results": told["results"],
    }


def _not_begun(plan: Plan) -> dict[str, Any]:
    stages = [{"stage": stage, "state": "waiting", "seconds": 0.0} for stage in stages_of(plan)]
    nothing: dict[str, Any] = {"studies": [], "leader": None, "workers": [], "seconds_to_go": None}
    about = {"name": plan.name, "begun": False, "workspace": str(plan.root), "stages": stages}
    return about | nothing | {"disk_bytes": 0, "disk": {}, "results": []}


def _target(plan: Plan, study: StudySummary) -> int:
    """The study's budget: its own where its trials are listed, else the plan's for the two stages."""
    if "budget" in study.attributes:
        return int(study.attributes["budget"])
    if _stage(study) == "distil":
        return plan.distil.trials if plan.distil else 0
    return plan.further.trials if _stage(study) == "further" else plan.search.trials


def _stage(study: StudySummary) -> str:
    return (*study.name.split(" · "), "")[1]


def _open_slots(run: Run, study: str) -> dict[int, Slot]:
    found = trial_slots.slots(run.engine, study)
    return {slot.trial: slot for slot in found if slot.state == "open" and slot.trial is not None}


def _epochs(plan: Plan, study: StudySummary, trial: TrialSummary) -> float | None:
    """How many the trial is to have: its own parameter, or the plan's where that fixes them."""
    stage: Literal["search", "further"] = "further" if _stage(study) == "further" else "search"
    epochs = trial.params.get("epochs", plan.space(stage, {}).get("epochs"))
    return epochs if isinstance(epochs, int | float) else None


def _at_work(study: StudySummary, trial: TrialSummary, epochs: float | None, slot: Slot | None) -> dict[str, Any]:
    """A running trial and whoever runs it, or ran it and died: it is gone on with when the search is."""
    now = time.time()
    began = trial.started.replace(tzinfo=UTC).timestamp() if trial.started else now
    return {
        "study": study.name,
        "trial": trial.number,
        "worker": slot.worker if slot else None,
        "host": slot.host if slot else None,
        "pid": slot.pid if slot else None,
        "alive": slot is not None and _lives(slot, now),
        "seconds": round(max(0.0, now - began), 1),
        "silent_seconds": round(max(0.0, now - slot.beat), 1) if slot else None,
        "still_seconds": round(max(0.0, now - slot.moved), 1) if slot else None,
        "share": round(slot.share, 4) if slot else None,
        "epoch": trial.step,
        "epochs": epochs,
    }


def _lives(slot: Slot, now: float) -> bool:
    runs = trial_slots.owner_runs(slot)
    return now - slot.beat < HEARTBEAT_TIMEOUT_SECONDS if runs is None else runs


def _study(study: StudySummary, target: int, workers: Sequence[Mapping[str, Any]], hands: int) -> dict[str, Any]:
    counts = study.counts
    rechecked: list[dict[str, Any]] = study.attributes.get("fresh", [])
    return {
        "name": study.name,
        "candidate": study.attributes.get("candidate"),
        "target": target,
        "complete": counts.get("COMPLETE", 0),
        "pruned": counts.get("PRUNED", 0),
        "failed": counts.get("FAIL", 0),
        "running": counts.get("RUNNING", 0),
        "waiting": counts.get("WAITING", 0),
        "what": study.attributes.get("what", "search"),
        "best": _trial(study.best, rechecked),
        "rechecked": rechecked,
        "baseline": _trial(study.baseline),
        "failures": [{"trial": trial, "state": state.lower(), "reason": why} for trial, state, why in study.reasons],
        "seconds_a_trial": None if study.seconds is None else round(study.seconds, 2),
        "seconds_to_go": _study_to_go(study, target, workers, hands),
    }


def _trial(trial: TrialSummary | None, rechecked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any] | None:
    if trial is None or trial.state in {"RUNNING", "WAITING"}:
        return None
    fresh = next((figures for figures in rechecked if figures["trial"] == trial.number), None)
    intervals = trial.attributes.get("intervals")
    return {
        "trial": trial.number,
        "value": trial.value if trial.value is not None and math.isfinite(trial.value) else None,
        "params": dict(trial.params),
        "moved": trial.attributes.get("moved", ""),
        "scores": {name: trial.attributes.get(name) for name in SCORES},
        "intervals": None if intervals is None else json.loads(intervals),
        "fresh": fresh,
    }


def _study_to_go(study: StudySummary, target: int, workers: Sequence[Mapping[str, Any]], hands: int) -> float | None:
    own = [worker for worker in workers if worker["study"] == study.name]
    in_part = sum(worker["share"] or min(1.0, worker["epoch"] / (worker["epochs"] or math.inf)) for worker in own)
    left = target - study.counts.get("COMPLETE", 0) - study.counts.get("PRUNED", 0) - in_part
    if "budget" in study.attributes:
        left -= study.counts.get("FAIL", 0)  # listed trials: one that was given up is not replaced
    return None if study.seconds is None else round(max(0.0, left) * study.seconds / hands, 1)


def _seconds_to_go(
    plan: Plan, seen: Sequence[StudySummary], studies: Sequence[Mapping[str, Any]], hands: int
) -> float | None:
    """All begun studies, and stage one's candidates that have none yet, as long as the others take on average."""
    known = [study.seconds for study in seen if study.seconds is not None]
    if not known:
        return None
    begun = {study.attributes.get("candidate") for study in seen}
    left = sum(candidate not in begun for candidate in plan.candidates) * plan.search.trials
    mean = sum(known) / len(known)
    return round(sum(study["seconds_to_go"] or 0.0 for study in studies) + left * mean / hands, 1)
