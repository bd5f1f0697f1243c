"""An inference on a Ray cluster: its nodes classify shards; this process reads, drops duplicates and writes.

So the nodes need neither the comments nor the store, and shards are those of one process. Ray keeps a process with its
models on each node; which shard goes to which of them, and again where one is lost, is decided here.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from queue import PriorityQueue
from typing import Any, Protocol, cast

from stages.infer.executors import Executor, ExecutorChoice, Finish, Floats, InProcess, OnBatch, open_in_worker
from stages.infer.ray_cluster import LOCAL, Place, cluster_address, join, only_on, places
from stages.infer.ray_node_check import check_nodes
from stages.runtime.run_context import Run
from transfer.device.device import device_name
from transfer.errors import UserError, UserErrors

BUSY_SECONDS = 60.0  # without cores or GPUs for a worker, after which it is reported
POLL_SECONDS = 1.0
JOIN_SECONDS = 5.0
MOST_LOSSES = 3  # comments that so many workers were lost over are more likely the cause than not


class LostWorkerError(Exception):
    """A worker is gone, with the shard that it had in work."""


class Worker(Protocol):
    """A process somewhere that classifies shards, one at a time."""

    @property
    def name(self) -> str:
        """In messages."""

    def open(self) -> None:
        """Waits until the models are loaded. Raises LostWorkerError, and UserError where they cannot be."""

    def classify(self, texts: Sequence[str]) -> Floats:
        """(N, K) float32 of cleaned texts. Raises LostWorkerError."""

    def end(self) -> None:
        """Ends it, in the middle of a shard if need be; from any thread."""


@dataclass(order=True)
class _Job:
    """A shard's texts. number: the earlier shard comes first, also when it comes a second time."""

    number: int
    texts: Sequence[str] = field(compare=False)
    result: "Future[Floats]" = field(compare=False, default_factory=Future)
    losses: int = field(compare=False, default=0)


class WorkQueue:
    """An Executor that gives shards to workers, each served by a thread; what a lost one had in work, another does.

    models: that read each text. new_workers: those that came since it was last called. Where no worker is left for
    `patience` seconds, the shard that is waited for raises UserError.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        models: int,
        report: Callable[[str], None],
        new_workers: Callable[[], Sequence[Worker]] = list,
        patience: float = 60.0,
    ) -> None:
        self._models, self._report, self._new_workers, self._patience = models, report, new_workers, patience
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._numbers, self._closed, self._seconds_alone = count(), False, 0.0
        self._threads: dict[threading.Thread, Worker] = {}
        self._add(workers)

    @property
    def prefetch_depth(self) -> int:
        """See Executor: one for each worker that is there now, and one more."""
        return sum(thread.is_alive() for thread in list(self._threads)) + 1

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Executor."""
        job = _Job(next(self._numbers), list(texts))
        self._jobs.put(job)

        def finish(on_batch: OnBatch) -> Floats:
            probabilities = self._wait_for(job)
            on_batch(len(texts) * self._models)
            return probabilities

        return finish

    def close(self) -> None:
        """Ends all workers, and waits for their threads."""
        self._closed = True
        for worker in self._threads.values():
            worker.end()
        for _ in self._threads:
            self._jobs.put(_Job(-1, []))  # wakes a thread that waits for work
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def _add(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            self._threads[thread] = worker
            thread.start()

    def _wait_for(self, job: _Job) -> Floats:
        while True:
            with suppress(TimeoutError):
                return job.result.result(POLL_SECONDS)
            self._add(self._new_workers())
            is_alone = not any(thread.is_alive() for thread in self._threads)
            self._seconds_alone = self._seconds_alone + POLL_SECONDS if is_alone else 0.0
            if self._seconds_alone >= self._patience:
                raise UserError(
                    f"infer: no worker has been left for {self._patience:g} s",
                    "see to the nodes, then run again: shards that are written are kept",
                )

    def _serve(self, worker: Worker) -> None:
        """A worker's thread, until the worker is lost or the queue closed."""
        try:
            worker.open()
            while not self._closed and (job := self._jobs.get()).number >= 0:
                self._do(job, worker)
        except (LostWorkerError, UserError) as error:
            worker.end()
            if not self._closed:
                self._report(f"infer: {worker.name} is lost, others do its work: {error}")

    def _do(self, job: _Job, worker: Worker) -> None:
        try:
            job.result.set_result(worker.classify(job.texts))
        except LostWorkerError:
            job.losses += 1
            if job.losses < MOST_LOSSES:
                self._jobs.put(job)
            else:
                job.result.set_exception(_too_many_losses(job))
            raise
        except BaseException as error:  # noqa: BLE001 - raised where the shard is waited for
            job.result.set_exception(error)


def _too_many_losses(job: _Job) -> UserError:
    return UserError(
        f"infer: {job.losses} nodes were lost one after another over the same {len(job.texts):,} comments, "
        "perhaps for want of memory",
        "lower infer.processes or infer.shard_rows in the plan, or run again: shards that are written are kept",
    )


@dataclass
class RayExecution:
    """A context in which inferences may use the cluster of RAY_ADDRESS, or one on this machine where that is not set.

    It is joined when there is something to classify, and left at the end; one on this machine ends then.
    """

    _has_joined: bool = False

    def __enter__(self) -> "RayExecution":
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_joined:
            import ray

            ray.shutdown()

    def start(self, run: Run, choice: ExecutorChoice) -> Executor:
        """Workers on all nodes, with their models loaded.

        Raises UserError where the cluster cannot be joined or a node cannot compute the models, and UserErrors with
        all that keeps nodes from taking part.
        """
        self._join(run)
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

    def _join(self, run: Run) -> None:
        if self._has_joined:
            return
        address = cluster_address()
        run.report.message("starting Ray on this machine" if address == LOCAL else f"joining Ray's cluster {address}")
        join(address)
        self._has_joined = True


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
