"""An inference on a Ray cluster: its nodes classify shards; this process reads, drops duplicates and writes.

So the nodes need neither the comments nor the store, and shards are those of one process. Ray keeps a process with its
models on each node; which shard goes to which of them, and again where one is lost, is decided here.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

from stages.infer.executors import Executor, ExecutorChoice, Floats, InProcess, StartExecutor, open_in_worker
from stages.infer.ray_cluster import Place, cluster_address, join, only_on, places
from stages.infer.ray_node_check import check_nodes
from stages.infer.work_queue import LostWorkerError, WorkQueue
from stages.runtime.run_context import Run
from transfer.device.device import device_name
from transfer.errors import UserError, UserErrors

BUSY_SECONDS = 60.0  # without cores or GPUs for a worker, after which it is reported


@contextmanager
def ray_execution() -> Iterator[StartExecutor]:
    """What starts inferences on the cluster of RAY_ADDRESS, or on one of this machine where that is not set.

    It is joined when there is something to classify, and left at the end; one of this machine ends then.
    """
    try:
        yield _start
    finally:
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()


def _start(run: Run, choice: ExecutorChoice) -> Executor:
    """Workers on all nodes, with their models loaded.

    Raises UserError where the cluster cannot be joined or a node cannot compute the models, and UserErrors with all
    that keeps nodes from taking part.
    """
    join(cluster_address(), run.report.message)
    nodes = _Nodes(run, choice)
    workers = nodes.new_workers()
    hosts = {worker.place.node for worker in workers}
    run.report.message(f"classifying in {len(workers)} processes on {len(hosts)} nodes")
    try:
        for worker in workers:
            with suppress(LostWorkerError):  # its thread will notice
                worker.open()
    except BaseException as error:
        for other in workers:
            other.end()
        if isinstance(error, UserError):
            raise UserError(f"--on ray: {worker.name}: {error}") from error
        raise
    return WorkQueue(workers, len(choice.members), run.report.message, nodes.workers_that_joined)


class _Nodes:
    """Starts a worker in each place of the cluster, once."""

    def __init__(self, run: Run, choice: ExecutorChoice) -> None:
        self._run, self._choice = run, choice
        self._taken: set[Place] = set()
        self._checked: set[str] = set()

    def new_workers(self) -> "list[RayWorker]":
        """In places that are not taken. Raises UserError where there is no place, UserErrors with nodes' problems."""
        import ray

        nodes = cast(Any, ray).nodes()
        found = places(nodes, device_name() == "cuda", self._run.plan.infer.processes)
        free = [place for place in found if place not in self._taken]
        self._taken.update(free)
        unchecked = {place.node: place.host for place in free if place.node not in self._checked}
        if unchecked:
            check_nodes(self._run, self._choice, unchecked)
            self._checked.update(unchecked)
        return [RayWorker(place, self._choice, self._run.report.message, self._taken.discard) for place in free]

    def workers_that_joined(self) -> "list[RayWorker]":
        """As new_workers, in the middle of an inference: nodes with problems are reported and left out."""
        import ray

        try:
            return self.new_workers()
        except UserErrors as problems:
            self._run.report.message(str(problems))
        except (UserError, ray.exceptions.RayError):  # the nodes are listed again a second later
            pass
        return []


class NodeClassifier:
    """The predictor on a node, as a Ray actor: a process that classifies, on one GPU where it was given one."""

    def open(self, choice: ExecutorChoice, threads: int) -> None:
        """Loads the models. Raises UserError where they cannot be computed here as they are elsewhere."""
        self._classifier: InProcess = open_in_worker(choice, threads)

    def classify(self, texts: Sequence[str]) -> Floats:
        """(N, K) float32 of cleaned texts."""
        return self._classifier.classify(texts)


class RayWorker:
    """An actor bound to its node. Ray does not restart it: see docs/decisions.md.

    on_lost: called with the place when the actor is lost at work, for its node may be there still and start another.
    """

    def __init__(
        self, place: Place, choice: ExecutorChoice, report: Callable[[str], None], on_lost: Callable[[Place], None]
    ) -> None:
        import ray

        self.place, self.name, self._report, self._on_lost = place, place.name, report, on_lost
        actor = ray.remote(NodeClassifier).options(
            num_cpus=place.cpus, num_gpus=place.gpus, max_restarts=0, scheduling_strategy=only_on(place.node)
        )
        self._actor = cast(Any, actor.remote())
        self._opened = self._actor.open.remote(choice, max(1, place.cpus))

    def open(self) -> None:
        """See Worker."""
        import ray

        if not ray.wait([self._opened], timeout=BUSY_SECONDS)[0]:
            self._report(f"waiting for {self.name}: other work of the cluster may have its cores or GPUs")
        _result(self._opened)

    def classify(self, texts: Sequence[str]) -> Floats:
        """See Worker."""
        try:
            probabilities: Floats = _result(self._actor.classify.remote(texts))
        except LostWorkerError:
            self._on_lost(self.place)
            raise
        return probabilities

    def end(self) -> None:
        """See Worker."""
        import ray

        with suppress(ray.exceptions.RayError, ValueError):  # it is gone already
            ray.kill(self._actor)


def _result(reference: Any) -> Any:
    """What an actor returned. Raises what it raised itself; LostWorkerError where the actor or its node is gone."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise LostWorkerError(str(error).strip().splitlines()[0]) from error
