"""A further worker for a search that another process leads."""

from dataclasses import replace
from typing import Any

from stages.console.progress_bar import Lines
from stages.further.ablation import join_ablation
from stages.further.run_further import join_further
from stages.runtime.local_workers import end_with, take_gpu
from stages.runtime.run_context import Run
from stages.search.run_search import join_search
from storage.locks.workspace_lock import holder
from storage.records import stage_records
from transfer.errors import UserError


def join_running_search(run: Run, leader: int | None = None) -> dict[str, Any]:
    """Works on the search that is running now until its budget is used up. The result has `studies` and `winner`.

    leader: the process whose crew this worker belongs to; it says less then, and ends with it.
    Raises UserError where no search runs.
    """
    if leader is not None:
        end_with(leader)
        run = replace(run, report=Lines())
    take_gpu(run.root, run.report)
    running = [
        record.stage for record in stage_records.read_all(run.engine, run.plan.name) if record.state == "running"
    ]
    searches = {"search": join_search, "further": join_further, "ablation": join_ablation}
    stage = next((stage for stage in running if stage in searches), None)
    if stage is None:
        led_by = holder(run.root)
        doing = f"its leader is in stage {running[0]}" if led_by and running else "nothing runs"
        raise UserError(
            f"{run.plan.name}: there is no running search to join: {doing}",
            f"begin one in another terminal with: moodline search {run.plan.file.name}",
        )
    return searches[stage](run)
