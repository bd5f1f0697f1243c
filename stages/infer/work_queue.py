"""Shards classified by workers that may be lost: what one of them has not finished, another one does.

Workers are processes on any machine; those of a Ray cluster are in stages.infer.ray_executor.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from itertools import count
from queue import PriorityQueue
from typing import Protocol

from stages.infer.executors import Finish, Floats, OnBatch
from transfer.errors import UserError

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
        while not wait([job.result], POLL_SECONDS).done:
            self._add(self._new_workers())
            is_alone = not any(thread.is_alive() for thread in self._threads)
            self._seconds_alone = self._seconds_alone + POLL_SECONDS if is_alone else 0.0
            if self._seconds_alone >= self._patience:
                raise UserError(
                    f"infer: no worker has been left for {self._patience:g} s",
                    "see to the nodes, then run again: shards that are written are kept",
                )
        return job.result.result()

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
