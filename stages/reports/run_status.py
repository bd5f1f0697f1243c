"""Where a run stands, read from the store without disturbing the processes that work on it.

Imports nothing that takes long: `moodline status` may be asked every few seconds.
"""

import json
import math
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Literal

from stages.plan.schema import Plan
from stages.results.status_result import Coordinator, RunningTrial, RunStatus, StageState
from stages.results.study_results import FIGURES, FreshSeeds, Scores, ShownTrial, StudyProgress, TrialFailure
from stages.runtime.run_context import ADAPTED, ADAPTERS, SAMPLES, SHARDS, Run, find_run
from stages.runtime.stage_order import overview, stages_of
from storage.locks.workspace_lock import holder
from storage.records import trial_slots
from storage.records.trial_slots import Slot
from studies.study_summaries import StudySummary, TrialSummary, read_summaries
from studies.workers.dead_workers import HEARTBEAT_TIMEOUT_SECONDS


def run_status(plan: Plan) -> RunStatus:
    """Where the plan's run stands. Nothing is written, and of a plan that never ran nothing is made."""
    run = find_run(plan)
    if run is None:
        waiting = [StageState(stage=stage, state="waiting", seconds=0.0) for stage in stages_of(plan)]
        return RunStatus(name=plan.name, begun=False, workspace=str(plan.root), stages=waiting)
    summaries = read_summaries(run.engine, f"{plan.name} · ")
    leader, found = holder(run.root), overview(run)
    trials = [trial for study in summaries for trial in _running_trials(run, study)]
    workers = max(1, sum(trial.alive for trial in trials))
    studies = [_progress(study, _target(plan, study), trials, workers) for study in summaries]
    sizes = disk(run)
    return RunStatus(
        name=plan.name,
        begun=True,
        workspace=str(run.root),
        stages=[_as_it_stands(stage, is_led=leader is not None) for stage in found.stages],
        studies=studies,
        leader=leader and Coordinator(host=leader.host, pid=leader.pid, since=str(leader.since)),
        workers=trials,
        seconds_to_go=_seconds_to_go(plan, summaries, studies, workers),
        disk_bytes=sum(sizes.values()),
        disk=sizes,
        results=found.results,
    )


def _as_it_stands(stage: StageState, *, is_led: bool) -> StageState:
    """A stage is recorded as running also after its process was killed."""
    is_interrupted = stage.state == "running" and not is_led
    return stage.model_copy(update={"state": "interrupted"}) if is_interrupted else stage


def _target(plan: Plan, study: StudySummary) -> int:
    """The study's number of trials: its own where its trials are listed, else the plan's."""
    if "budget" in study.attributes:
        return int(study.attributes["budget"])
    if _stage(study) == "distil":
        return plan.distil.trials if plan.distil else 0
    return plan.further.trials if _stage(study) == "further" else plan.search.trials


def _stage(study: StudySummary) -> str:
    return (*study.name.split(" · "), "")[1]


def _running_trials(run: Run, study: StudySummary) -> list[RunningTrial]:
    slots = {slot.trial: slot for slot in trial_slots.slots(run.engine, study.name) if slot.state == "open"}
    return [
        _running_trial(study, trial, _epochs(run.plan, study, trial), slots.get(trial.number))
        for trial in study.running
    ]


def _epochs(plan: Plan, study: StudySummary, trial: TrialSummary) -> float | None:
    """How many the trial is to have: its own parameter, or the plan's where that fixes them."""
    stage: Literal["search", "further"] = "further" if _stage(study) == "further" else "search"
    epochs = trial.params.get("epochs", plan.space(stage, {}).get("epochs"))
    return epochs if isinstance(epochs, int | float) else None


def _running_trial(study: StudySummary, trial: TrialSummary, epochs: float | None, slot: Slot | None) -> RunningTrial:
    now = time.time()
    began = trial.started.replace(tzinfo=UTC).timestamp() if trial.started else now
    return RunningTrial(
        study=study.name,
        trial=trial.number,
        worker=slot.worker if slot else None,
        host=slot.host if slot else None,
        pid=slot.pid if slot else None,
        alive=slot is not None and _is_alive(slot, now),
        seconds=round(max(0.0, now - began), 1),
        silent_seconds=round(max(0.0, now - slot.beat), 1) if slot else None,
        still_seconds=round(max(0.0, now - slot.moved), 1) if slot else None,
        share=round(slot.share, 4) if slot else None,
        epoch=trial.step,
        epochs=epochs,
    )


def _is_alive(slot: Slot, now: float) -> bool:
    runs = trial_slots.owner_runs(slot)
    return now - slot.beat < HEARTBEAT_TIMEOUT_SECONDS if runs is None else runs


def _progress(study: StudySummary, target: int, trials: Sequence[RunningTrial], workers: int) -> StudyProgress:
    counts = study.counts
    rechecked = [FreshSeeds.model_validate(figures) for figures in study.attributes.get("fresh", [])]
    return StudyProgress(
        name=study.name,
        candidate=study.attributes.get("candidate"),
        target=target,
        complete=counts.get("COMPLETE", 0),
        pruned=counts.get("PRUNED", 0),
        failed=counts.get("FAIL", 0),
        running=counts.get("RUNNING", 0),
        waiting=counts.get("WAITING", 0),
        what=study.attributes.get("what", "search"),
        best=_shown(study.best, rechecked),
        rechecked=rechecked,
        baseline=_shown(study.baseline),
        failures=[TrialFailure(trial=number, state=state.lower(), reason=why) for number, state, why in study.reasons],
        seconds_a_trial=None if study.seconds is None else round(study.seconds, 2),
        seconds_to_go=_study_to_go(study, target, trials, workers),
    )


def _shown(trial: TrialSummary | None, rechecked: Sequence[FreshSeeds] = ()) -> ShownTrial | None:
    """None before the trial has ended."""
    if trial is None or trial.state in {"RUNNING", "WAITING"}:
        return None
    intervals = trial.attributes.get("intervals")
    return ShownTrial(
        trial=trial.number,
        value=trial.value if trial.value is not None and math.isfinite(trial.value) else None,
        params=dict(trial.params),
        moved=trial.attributes.get("moved", ""),
        scores=Scores(**{name: trial.attributes.get(name) for name in FIGURES}),
        intervals=None if intervals is None else json.loads(intervals),
        fresh=next((figures for figures in rechecked if figures.trial == trial.number), None),
    )


def _study_to_go(study: StudySummary, target: int, trials: Sequence[RunningTrial], workers: int) -> float | None:
    if study.seconds is None:
        return None
    own = [trial for trial in trials if trial.study == study.name]
    in_part = sum(trial.share or min(1.0, trial.epoch / (trial.epochs or math.inf)) for trial in own)
    left = target - study.counts.get("COMPLETE", 0) - study.counts.get("PRUNED", 0) - in_part
    if "budget" in study.attributes:
        left -= study.counts.get("FAIL", 0)  # of listed trials, one that was given up is not replaced
    return round(max(0.0, left) * study.seconds / workers, 1)


def _seconds_to_go(
    plan: Plan, summaries: Sequence[StudySummary], studies: Sequence[StudyProgress], workers: int
) -> float | None:
    """Of all begun studies, and of stage one's candidates without one: these take as long as the others' mean."""
    known = [study.seconds for study in summaries if study.seconds is not None]
    if not known:
        return None
    begun = {study.attributes.get("candidate") for study in summaries}
    left = sum(candidate not in begun for candidate in plan.candidates) * plan.search.trials
    mean = sum(known) / len(known)
    return round(sum(study.seconds_to_go or 0.0 for study in studies) + left * mean / workers, 1)


# first parts of names in files, and of paths in the workspace
IN_FILES = dict.fromkeys(("models", ADAPTERS, ADAPTED), "weights")
IN_FILES |= {"artifacts": "artifacts", SHARDS: "shards", SAMPLES: "shards"}
IN_WORKSPACE = {"scratch": "checkpoints", "cache": "cache", "moodline.db": "store"}


def disk(run: Run) -> dict[str, int]:
    """Bytes of `weights`, `checkpoints`, `artifacts`, `shards`, `cache`, `store` and `other`; a server's store is none.

    What is being written or removed at that moment is `other`.
    """
    found = dict.fromkeys([*IN_FILES.values(), *IN_WORKSPACE.values(), "other"], 0)
    for first, size in run.files.sizes().items():
        found[IN_FILES.get(first, "other")] += size
    for first, size in _sizes_below(run.root, without=run.root / "files").items():
        store = "moodline.db" if first.startswith("moodline.db") else first  # with -wal, -shm and .lock
        found[IN_WORKSPACE.get(store, "other")] += size
    return found


def _sizes_below(folder: Path, without: Path) -> dict[str, int]:
    """Bytes by the first part of the paths; a file that is renamed or removed meanwhile is left out."""
    found: dict[str, int] = {}
    for place, folders, names in os.walk(folder):
        if Path(place) == folder and without.name in folders:
            folders.remove(without.name)
        first = Path(place).relative_to(folder).parts[:1]
        for name in names:
            with suppress(OSError):
                key = first[0] if first else name
                found[key] = found.get(key, 0) + os.lstat(os.path.join(place, name)).st_size
    return found
