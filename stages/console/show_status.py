"""Where a run stands, as people read it."""

from collections.abc import Mapping
from typing import Any

from stages.console.show_studies import short, show_studies
from stages.console.tables import console, duration, table
from stages.results.study_results import StudyProgress

MEGABYTE = 1e6


def show_status(result: Mapping[str, Any]) -> None:
    """Stages, studies, who works, how long it will take, and the bytes on disk."""
    out = console()
    if not result["begun"]:
        out.print(f"{result['name']}: not begun; nothing is in {result['workspace']}")
        return
    leader = result["leader"]
    who = f"process {leader['pid']} on {leader['host']} since {leader['since']}" if leader else "nobody"
    out.print(f"{result['name']} in {result['workspace']}; led by {who}")
    made = table("stage", "state", "seconds")
    for stage in result["stages"]:
        made.add_row(stage["stage"], stage["state"], f"{stage['seconds']:.1f}")
    out.print(made)
    if result["studies"]:
        show_studies([StudyProgress.model_validate(study) for study in result["studies"]])
    for line in map(_at_work, result["workers"]):
        out.print(line)
    if result["seconds_to_go"]:
        out.print(f"the searches will take roughly {duration(result['seconds_to_go'])} more at this pace")
    parts = ", ".join(f"{name} {size / MEGABYTE:,.1f}" for name, size in result["disk"].items() if size)
    out.print(f"on disk: {result['disk_bytes'] / MEGABYTE:,.1f} MB ({parts})")


def _at_work(worker: Mapping[str, Any]) -> str:
    progress = f"epoch {worker['epoch']}" + (f" of {worker['epochs']:g}" if worker["epochs"] else "")
    if worker["epochs"] and worker["epoch"] > worker["epochs"]:  # of several seeds, each of which has so many
        progress = f"{worker['share'] or 0:.0%} done"
    study, ago = short(worker["study"]), duration(worker["seconds"])
    what = f"{study}, trial {worker['trial']}: {progress}, begun {ago} ago"
    if worker["alive"]:
        return f"{what}, by process {worker['pid']} on {worker['host']}"
    last = f"; {worker['worker']} is gone" if worker["worker"] else ""
    return f"{what}, interrupted{last}: it goes on when the search does"
