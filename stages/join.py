"""A further worker for a search that another process leads."""

from typing import Any

from stages.basic import join_basic
from stages.further import join_further
from stages.workspace import Run
from storage import ledger
from storage.leader import holder
from transfer.problem import Problem


def join_search(run: Run) -> dict[str, Any]:
    """Works on the search that is running now until its budget is used up. The result has `studies` and `winner`.

    Raises Problem where no search runs.
    """
    running = [record.stage for record in ledger.read_all(run.engine, run.plan.name) if record.state == "running"]
    searches = {"basic": join_basic, "further": join_further}
    stage = next((stage for stage in running if stage in searches), None)
    if stage is None:
        leader = holder(run.root)
        doing = f"its leader is in stage {running[0]}" if leader and running else "nothing runs"
        raise Problem(
            f"{run.plan.name}: there is no running search to join: {doing}",
            f"begin one in another terminal with: moodline search {run.plan.file.name}",
        )
    return searches[stage](run)
