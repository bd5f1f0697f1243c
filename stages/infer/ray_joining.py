"""Joining a Ray cluster, or starting one on this machine: quietly, and without leaving traces in this process."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from stages.runtime.gpu_allocation import all_gpus
from transfer.errors import UserError

LOCAL = "local"  # what Ray calls a cluster of its own on this machine


def require_ray() -> None:
    """Raises UserError, which names the extra, where Ray is not installed."""
    if find_spec("ray") is None:
        raise UserError("--on ray: ray is not installed", "install the extra: pip install 'moodline[cluster]'")


def cluster_address() -> str:
    """Of the cluster that the environment names, LOCAL where it names none."""
    return os.environ.get("RAY_ADDRESS") or LOCAL


def join(address: str) -> None:
    """Joins, quietly, without a dashboard of its own and without telling Ray's makers. Raises UserError."""
    if address.startswith("ray://"):
        raise UserError(
            f"RAY_ADDRESS: {address} is an address of Ray Client, which is not used",
            "run the command on a machine of the cluster, with RAY_ADDRESS=auto or HOST:PORT",
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    own: dict[str, Any] = {}
    if address == LOCAL:
        # it listens on this machine alone, for Ray runs whatever it is sent; read when ray is imported
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        own = {"include_dashboard": False, "num_gpus": len(all_gpus()) or None}
    with _signals_as_they_were(), _sees_all_gpus():
        import ray

        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except Exception as error:  # Ray raises whatever comes to it
            with suppress(Exception):
                ray.shutdown()
            raise _not_joined(address, error) from error


def only_on(node: str) -> Any:
    """Ray's word for: there, or not at all."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _not_joined(address: str, error: Exception) -> UserError:
    why = (str(error).strip() or type(error).__name__).splitlines()[0]
    if address == LOCAL:
        return UserError(f"--on ray: no cluster could be started on this machine: {why}", "run again, or without --on")
    return UserError(
        f"RAY_ADDRESS: the cluster {address} could not be joined: {why}",
        "run the command on a machine of the cluster (ray start --address=... makes this one part of it),",
        "with the same Python and ray as there; or unset RAY_ADDRESS to use this machine alone",
    )


@contextmanager
def _signals_as_they_were() -> Iterator[None]:
    """Ray takes SIGTERM over; it is the command's, which ends with what is done saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _sees_all_gpus() -> Iterator[None]:
    """What Ray starts may use all GPUs, of which this process took one."""
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    if all_gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(all_gpus())
    try:
        yield
    finally:
        if all_gpus() and before is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
