"""From a plan's file to an opened run, and to one that this process alone coordinates, as the commands need them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.console.command_context import quiet_libraries

if TYPE_CHECKING:
    from stages.plan.schema import Plan
    from stages.runtime.run_context import Run


def lead_stage(
    plan: Path,
    overrides: Sequence[str],
    what: str,
    anew: str | None,
    workers: int = 1,
    does: "Callable[[Run], Any] | None" = None,
) -> Any:
    """Does one stage, or "run" for all, as the only process of the workspace that may; by `does`, where it is given."""
    from stages.runtime.gpu_allocation import share_cores, take_gpu
    from stages.runtime.local_workers import LocalWorkers

    opened = read(plan, overrides)
    share_cores(workers)
    quiet_libraries()
    from stages.pipeline import run_all, run_one
    from stages.runtime.reset import begin_anew
    from storage.locks.workspace_lock import lead

    with lead(opened.root):
        run = opened_run(opened)
        run.files.sweep()
        take_gpu(run.root, run.report)
        if anew is not None:
            begin_anew(run, anew, first={"run": None, "ablation": "further"}.get(what, what))
        words = [str(plan), *(word for override in overrides for word in ("--set", override))]
        with LocalWorkers(words, workers - 1, run.report) as local_workers:
            run = replace(run, local_workers=local_workers)
            if does is not None:
                return does(run)
            return run_all(run) if what == "run" else run_one(run, what)


def read(plan: Path, overrides: Sequence[str]) -> "Plan":
    """The plan in a file; raises UserErrors with all that is wrong in it."""
    from stages.plan.schema import read_plan

    return read_plan(plan, overrides)


def opened_run(plan: "Plan") -> "Run":
    """The plan's run, which reports its progress on the terminal."""
    from stages.console.progress_bar import Terminal
    from stages.runtime.run_context import open_run

    return open_run(plan, Terminal())


def begun_run(plan: "Plan") -> "Run":
    """The run of a plan that was begun before; nothing is made for one that was not.

    Raises UserError where nothing was begun.
    """
    from stages.runtime.run_context import find_run
    from transfer.errors import UserError

    if find_run(plan) is None:
        raise UserError(f"{plan.name}: nothing has been run yet", f"begin with: moodline run {plan.file.name}")
    return opened_run(plan)
