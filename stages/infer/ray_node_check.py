"""Whether the nodes of a cluster give what this machine would give: asked before the first shard."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from stages.infer.executors import ExecutorChoice
from stages.infer.ray_cluster import only_on
from stages.runtime.run_context import Run
from transfer.errors import UserError, UserErrors

# The packages that probabilities depend on to the last digit, as they do on the processor.
PACKAGES = ("moodline", "torch", "transformers", "tokenizers", "numpy", "openvino", "onnxruntime")


@dataclass(frozen=True)
class NodeFacts:
    """host: the node's name. versions: of Python and those of PACKAGES that are installed. missing: paths not there."""

    host: str
    versions: Mapping[str, str]
    missing: Sequence[str]


NodeAnswer = NodeFacts | str | None  # a str: why the node cannot answer; None: it is gone
Ask = Callable[[str, Sequence[str]], NodeAnswer]


def node_facts(paths: Sequence[str]) -> NodeFacts:
    """Of this machine. paths: what the machine that runs the command sees, and a node must see as well."""
    versions = {"python": ".".join(map(str, sys.version_info[:2]))}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return NodeFacts(socket.gethostname(), versions, [path for path in paths if not Path(path).exists()])


def ask_by_ray(node: str, paths: Sequence[str]) -> NodeAnswer:
    """The node's facts, by its id in Ray."""
    import ray

    task: Any = ray.remote(node_facts).options(num_cpus=0, max_retries=0, scheduling_strategy=only_on(node))
    try:
        answer: NodeFacts = ray.get(task.remote(paths))
    except ray.exceptions.RayTaskError as error:  # moodline is not installed there, or in another version
        return (str(error.cause).strip() or type(error.cause).__name__).splitlines()[-1]
    except ray.exceptions.RayError:
        return None
    return answer


def check_nodes(run: Run, choice: ExecutorChoice, nodes: Mapping[str, str], ask: Ask = ask_by_ray) -> None:
    """Raises UserErrors with all that keeps a node from giving what this process would give.

    nodes: Ray's id and the address of each. One that is gone is no problem: its loss is noticed later.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(prefix="seen-by-all-", dir=run.scratch) as file:
        marker = Path(file.name)
        paths = _required_paths(choice, marker)
        here = node_facts(paths)
        problems = [p for node, host in nodes.items() for p in problems_of(host, ask(node, paths), here, marker)]
    if problems:
        raise UserErrors("--on ray: nodes of the cluster cannot take part", problems)


def _required_paths(choice: ExecutorChoice, marker: Path) -> list[str]:
    return [str(marker), *(str(member.folder) for member in choice.members)]


def problems_of(host: str, answer: NodeAnswer, here: NodeFacts, marker: Path) -> list[UserError]:
    """What is wrong with a node, compared with this machine. marker: a file of the workspace."""
    if answer is None:
        return []
    if isinstance(answer, str):
        return [UserError(f"node {host}: moodline does not run there: {answer}", "install it there as it is here")]
    node = f"node {host} ({answer.host})"
    problems = []
    if differences := _differences(answer.versions, here.versions):
        problems.append(UserError(f"{node}: {differences}", "install the same on all nodes"))
    folder = "on a folder that all nodes mount under the same path"
    if str(marker) in answer.missing:
        workspace = marker.parent.parent
        problems.append(
            UserError(f"{node} does not see the workspace {workspace}", f"put it {folder} (workspace: in the plan)")
        )
    elif answer.missing:
        missing = ", ".join(answer.missing)
        problems.append(UserError(f"{node} does not see {missing}", f"put files: of the plan {folder}"))
    return problems


def _differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    pairs = [(name, there.get(name, "none"), here.get(name, "none")) for name in {**here, **there}]
    return ", ".join(f"{name} is {theirs} there and {ours} here" for name, theirs, ours in pairs if theirs != ours)
