"""Where a run stands, for people."""

from stages.console.show_studies import short, show_stages, show_studies
from stages.console.tables import console, duration
from stages.results.status_result import RunningTrial, RunStatus

MEGABYTE = 1e6


def show_status(status: RunStatus) -> None:
    out = console()
    if not status.begun:
        out.print(f"{status.name}: not begun; nothing is in {status.workspace}")
        return
    leader = status.leader
    process = f"process {leader.pid} on {leader.host} since {leader.since}" if leader else "nobody"
    out.print(f"{status.name} in {status.workspace}; led by {process}")
    show_stages(status.stages)
    if status.studies:
        show_studies(status.studies)
    for trial in status.workers:
        out.print(_running(trial))
    if status.seconds_to_go:
        out.print(f"the searches will take roughly {duration(status.seconds_to_go)} more at this pace")
    parts = ", ".join(f"{name} {size / MEGABYTE:,.1f}" for name, size in status.disk.items() if size)
    out.print(f"on disk: {status.disk_bytes / MEGABYTE:,.1f} MB ({parts})")


def _running(trial: RunningTrial) -> str:
    progress = f"epoch {trial.epoch}" + (f" of {trial.epochs:g}" if trial.epochs else "")
    if trial.epochs and trial.epoch > trial.epochs:  # of several seeds, each of which has so many
        progress = f"{trial.share or 0:.0%} done"
    what = f"{short(trial.study)}, trial {trial.trial}: {progress}, begun {duration(trial.seconds)} ago"
    if trial.alive:
        return f"{what}, by process {trial.pid} on {trial.host}"
    last = f"; {trial.worker} is gone" if trial.worker else ""
    return f"{what}, interrupted{last}: it goes on when the search does"
