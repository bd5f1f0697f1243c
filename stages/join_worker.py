"""A further worker for a search that another process coordinates."""

from dataclasses import replace

from stages.console.progress_bar import Lines
from stages.pipeline import JOINS, join_stage
from stages.results.study_results import StudiesResult
from stages.runtime.gpu_allocation import take_gpu
from stages.runtime.local_workers import end_with
from stages.runtime.run_context import Run
from storage.locks.workspace_lock import holder
from storage.records import stage_records
from transfer.errors import UserError


def join_running_search(run: Run, coordinator: int | None = None) -> StudiesResult:
    """Works on the search that is running now until its budget is used up.

    coordinator: the process that started this worker, which then reports less, and ends with it.
    Raises UserError where no search runs.
    """
    if coordinator is not None:
        end_with(coordinator)
        run = replace(run, report=Lines())
    take_gpu(run.root, run.report)
    running = [
        record.stage for record in stage_records.read_all(run.engine, run.plan.name) if record.state == "running"
    ]
    stage = next((stage for stage in running if stage in JOINS), None)
    if stage is None:
        is_busy = holder(run.root) is not None and bool(running)
        doing = f"its coordinator is in stage {running[0]}" if is_busy else "nothing runs"
        raise UserError(
            f"{run.plan.name}: there is no running search to join: {doing}",
            f"begin one in another terminal with: moodline search {run.plan.file.name}",
        )
    return join_stage(run, stage)
