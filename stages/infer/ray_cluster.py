"""Joining a Ray cluster, or starting one on this machine, without side effects on this process; and its places."""

import logging
import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from stages.runtime.gpu_allocation import all_gpus
from transfer.errors import UserError

LOCAL = "local"  # Ray's address for a cluster of its own on this machine
_SAME_KIND = "the engine is chosen where the command runs: run it on a machine of the kind of the nodes"


@dataclass(frozen=True)
class Place:
    """Where one process classifies. node: Ray's id. gpus: share of one. cpus: of the node's, and its threads."""

    node: str
    host: str
    number: int
    gpus: float
    cpus: int

    @property
    def name(self) -> str:
        """In messages."""
        return f"node {self.host}" + (f" (process {self.number + 1})" if self.number else "")


def places(nodes: Sequence[Mapping[str, Any]], has_gpu: bool, processes: int | None) -> list[Place]:
    """Where the nodes that `ray.nodes()` lists can classify: a process for each GPU, or else for each node.

    has_gpu: this machine, where the engine was chosen; nodes without one are then left out. processes: the plan's, on
    each node. Raises UserError where nodes have GPUs and this machine has none, and where no node can be used.
    """
    found = []
    for node in nodes:
        gpus, cpus = (int(node["Resources"].get(kind, 0)) for kind in ("GPU", "CPU"))
        if not node["Alive"] or not (gpus if has_gpu else cpus or gpus):
            continue
        host = node["NodeManagerAddress"]
        if gpus and not has_gpu:
            raise UserError(f"--on ray: node {host} has a GPU and this machine has none", _SAME_KIND)
        n = processes or gpus or 1
        share = 1 / math.ceil(n / gpus) if gpus else 0.0  # of one GPU: Ray gives no process parts of two
        found += [Place(node["NodeID"], host, i, share, cpus // n) for i in range(n)]
    if not found and has_gpu:
        raise UserError("--on ray: this machine has a GPU and no node of the cluster has one", _SAME_KIND)
    if not found:
        raise UserError("--on ray: no node of the cluster has a CPU to spare", "start nodes without --num-cpus=0")
    return found


def require_ray() -> None:
    """Raises UserError, which names the extra, where Ray is not installed."""
    if find_spec("ray") is None:
        raise UserError("--on ray: ray is not installed", "install the extra: pip install 'moodline[cluster]'")


def cluster_address() -> str:
    """Of the cluster that the environment names, LOCAL where it names none."""
    return os.environ.get("RAY_ADDRESS") or LOCAL


def join(address: str, report: Callable[[str], None]) -> None:
    """Joins the cluster, or starts a LOCAL one that no other machine reaches; does nothing where that was done before.

    Sends no usage statistics. Raises UserError where that fails.
    """
    if address.startswith("ray://"):
        raise UserError(
            f"RAY_ADDRESS: {address} is an address of Ray Client, which is not used",
            "run the command on a machine of the cluster, with RAY_ADDRESS=auto or HOST:PORT",
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    local: dict[str, Any] = {}
    if address == LOCAL:
        # Ray runs whatever is sent to it, so it listens on the loopback alone. Read when ray is imported.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        local = {"include_dashboard": False, "num_gpus": len(all_gpus()) or None}
    with _same_process_afterwards():
        import ray

        if ray.is_initialized():
            return
        report("starting Ray on this machine" if address == LOCAL else f"joining the Ray cluster {address}")
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
        except Exception as error:  # Ray raises errors of many kinds
            with suppress(Exception):
                ray.shutdown()
            raise _not_joined(address, error) from error


@contextmanager
def _same_process_afterwards() -> Iterator[None]:
    """Restores what Ray takes over: SIGTERM, by which the command ends with its work saved, and the visible GPUs.

    Inside, all GPUs are visible, of which this process took one.
    """
    sigterm, visible = signal.getsignal(signal.SIGTERM), os.environ.get("CUDA_VISIBLE_DEVICES")
    if all_gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(all_gpus())
    try:
        yield
    finally:
        if visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        with suppress(ValueError):  # outside the main thread, where Ray leaves signals alone
            signal.signal(signal.SIGTERM, sigterm)


def _not_joined(address: str, error: Exception) -> UserError:
    why = (str(error).strip() or type(error).__name__).splitlines()[0]
    if address == LOCAL:
        return UserError(f"--on ray: no cluster could be started on this machine: {why}", "run again, or without --on")
    return UserError(
        f"RAY_ADDRESS: the cluster {address} could not be joined: {why}",
        "run the command on a machine of the cluster (ray start --address=... makes this one part of it),",
        "with the same Python and ray as there; or unset RAY_ADDRESS to use this machine alone",
    )


def only_on(node: str) -> Any:
    """Ray's scheduling strategy for one node and no other."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)
