"""From a plan's file to an opened run, and to one that this process alone coordinates, as the commands need them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.runtime.quiet_libraries import quiet_libraries

if TYPE_CHECKING:
    from stages.plan.schema import Plan
    from stages.results.infer_result import InferResult
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
    from stages.runtime.reset import reset_stage
    from storage.locks.workspace_lock import lead

    with lead(opened.root):
        run = opened_run(opened)
        run.files.sweep()
        take_gpu(run.root, run.report)
        if anew is not None:
            reset_stage(run, anew, first={"run": None, "ablation": "further"}.get(what, what))
        words = [str(plan), *(word for override in overrides for word in ("--set", override))]
        with LocalWorkers(words, workers - 1, run.report) as local_workers:
            run = replace(run, local_workers=local_workers)
            if does is not None:
                return does(run)
            return run_all(run) if what == "run" else run_one(run, what)


def infer_command(
    plan: Path, overrides: Sequence[str], anew: str | None, follows: bool, on: str | None = None
) -> "InferResult":
    """Leads the plan's workspace while comments are classified.

    follows: goes on with what comes later, until interrupted. on: "ray" for a cluster of that kind, None for this
    machine. Raises UserError where ray is not installed.
    """
    if on is not None:
        from stages.infer.ray_cluster import require_ray

        require_ray()
    result: InferResult = lead_stage(plan, overrides, "infer", anew, does=partial(_infer, follows=follows, on=on))
    return result


def _infer(run: "Run", follows: bool, on: str | None) -> "InferResult":
    from stages.infer.run_infer import run_infer
    from stages.infer.watch_folder import follow

    infer = run_infer
    with ExitStack() as at_end:
        if on is not None:
            from stages.infer.ray_executor import ray_execution

            infer = partial(run_infer, start=at_end.enter_context(ray_execution()))
        return follow(run, infer) if follows else infer(run)


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
