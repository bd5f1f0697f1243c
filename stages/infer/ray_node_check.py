"""Whether the nodes of a cluster can take part in an inference: asked before its first shard."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.infer.executors import ExecutorChoice
from stages.infer.ray_joining import only_on
from stages.infer.ray_node import Facts, facts
from stages.runtime.run_context import Run
from transfer.errors import UserError, UserErrors

Ask = Callable[[str, Sequence[str]], Facts | str | None]


def check_nodes(run: Run, team: ExecutorChoice, nodes: Mapping[str, str], ask: Ask) -> None:
    """Raises UserErrors with all that keeps a node from giving what this process would give.

    nodes: Ray's id and the address of each. ask: facts of a node, by its id; why it cannot tell any; None where
    it is gone, which is seen soon enough.
    """
    with _mark(run) as mark:
        paths = _needed(team, mark)
        here = facts(paths)
        problems = [
            problem for node, host in nodes.items() for problem in problems_of(host, ask(node, paths), here, mark)
        ]
    if problems:
        raise UserErrors("--on ray: nodes of the cluster cannot take part", problems)


def _needed(team: ExecutorChoice, mark: Path) -> list[str]:
    return [str(mark), *(str(member.folder) for member in team.members)]


@contextmanager
def _mark(run: Run) -> Iterator[Path]:
    """A file that is seen wherever the workspace is."""
    mark = run.scratch / f"seen-by-all-{uuid.uuid4().hex}"
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def problems_of(host: str, there: Facts | str | None, here: Facts, mark: Path) -> list[UserError]:
    """What is wrong with a node, beside what is here. mark: a file of the workspace."""
    if there is None:
        return []
    if isinstance(there, str):
        return [UserError(f"node {host}: moodline does not run there: {there}", "install it there as it is here")]
    node = f"node {host} ({there.host})"
    problems = (
        [UserError(f"{node}: {differ}", "install the same on all nodes")] if (differ := _unlike(there, here)) else []
    )
    if str(mark) in there.missing:
        problems.append(
            UserError(
                f"{node} does not see the workspace {mark.parent.parent}",
                "put it on a folder that all nodes mount under the same path (workspace: in the plan)",
            )
        )
    elif there.missing:
        problems.append(
            UserError(
                f"{node} does not see {', '.join(there.missing)}",
                "put files: of the plan on a folder that all nodes mount under the same path",
            )
        )
    return problems


def _unlike(there: Facts, here: Facts) -> str:
    names = dict.fromkeys([*here.versions, *there.versions])
    pairs = [(name, there.versions.get(name, "none"), here.versions.get(name, "none")) for name in names]
    return ", ".join(f"{name} is {theirs} there and {ours} here" for name, theirs, ours in pairs if theirs != ours)


def ask_by_ray(node: str, paths: Sequence[str]) -> Facts | str | None:
    """See check_nodes."""
    import ray

    task: Any = ray.remote(facts).options(num_cpus=0, max_retries=0, scheduling_strategy=only_on(node))
    try:
        found: Facts = ray.get(task.remote(paths))
    except ray.exceptions.RayTaskError as error:  # moodline is not installed there, or another one
        return (str(error.cause).strip() or type(error.cause).__name__).splitlines()[-1]
    except ray.exceptions.RayError:
        return None
    return found
