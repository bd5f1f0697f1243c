"""From a plan's file to an opened run, and to one that this process alone coordinates, as the commands need them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.runtime.quiet_libraries import quiet_libraries

if TYPE_CHECKING:
    from stages.plan.schema import Plan
    from stages.results.infer_result import InferResult
    from stages.runtime.run_context import Run


@dataclass(frozen=True)
class PlanSource:
    """The plan's file, and what `--set` overrides in it."""

    path: Path
    overrides: Sequence[str] = ()

    def read(self) -> "Plan":
        """Raises UserErrors with all that is wrong in it."""
        from stages.plan.schema import read_plan

        return read_plan(self.path, self.overrides)

    def opened_run(self) -> "Run":
        """The plan's run, which reports its progress on the terminal."""
        return _opened(self.read())

    def begun_run(self) -> "Run":
        """The same of a plan that was begun before. Raises UserError, and makes nothing, where it was not."""
        from stages.runtime.run_context import find_run
        from transfer.errors import UserError

        plan = self.read()
        if find_run(plan) is None:
            raise UserError(f"{plan.name}: nothing has been run yet", f"begin with: moodline run {plan.file.name}")
        return _opened(plan)

    def lead(
        self, what: str, anew: str | None = None, workers: int = 1, does: "Callable[[Run], Any] | None" = None
    ) -> Any:
        """Does one stage, or "run" for all, as the only process of the workspace that may; by `does`, if given."""
        from stages.runtime.gpu_allocation import share_cores, take_gpu
        from stages.runtime.local_workers import LocalWorkers

        plan = self.read()
        share_cores(workers)
        quiet_libraries()
        from stages.pipeline import run_all, run_one
        from stages.runtime.reset import reset_stage
        from storage.locks.workspace_lock import lead

        with lead(plan.root):
            run = _opened(plan)
            run.files.sweep()
            take_gpu(run.root, run.report)
            if anew is not None:
                reset_stage(run, anew, first={"run": None, "ablation": "further"}.get(what, what))
            words = [str(self.path), *(word for override in self.overrides for word in ("--set", override))]
            with LocalWorkers(words, workers - 1, run.report) as local_workers:
                run = replace(run, local_workers=local_workers)
                if does is not None:
                    return does(run)
                return run_all(run) if what == "run" else run_one(run, what)


def infer_command(plan: PlanSource, anew: str | None, follows: bool, on: str | None = None) -> "InferResult":
    """Leads the plan's workspace while comments are classified.

    follows: goes on with what comes later, until interrupted. on: "ray" for a cluster of that kind, None for this
    machine. Raises UserError where ray is not installed.
    """
    if on is not None:
        from stages.infer.ray_cluster import require_ray

        require_ray()
    result: InferResult = plan.lead("infer", anew, does=partial(_infer, follows=follows, on=on))
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


def _opened(plan: "Plan") -> "Run":
    from stages.console.progress_bar import Terminal
    from stages.runtime.run_context import open_run

    return open_run(plan, Terminal())
