"""What classifies the texts of a shard: this process, or several of this machine, one for each of its GPUs."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.runtime.gpu_allocation import all_gpus
from stages.runtime.local_workers import end_with
from stages.runtime.quiet_libraries import quiet_libraries
from transfer.encoders.tokenization import Tokens, encode, same_tokens
from transfer.engines.engine_factory import Member, open_engine
from transfer.engines.inference_engine import Engine, EngineVariant
from transfer.ensembling.combination import Mixture
from transfer.errors import UserError

if TYPE_CHECKING:
    from stages.runtime.run_context import Run

Floats = NDArray[np.float32]
OnBatch = Callable[[int], None]
Finish = Callable[[OnBatch], Floats]


@dataclass(frozen=True)
class ExecutorChoice:
    """The models that classify, how each is computed, and how their probabilities are combined."""

    members: Sequence[Member]
    ways: Sequence[EngineVariant]
    mixture: Mixture


class Executor(Protocol):
    """Classifies one shard's texts after another.

    The probabilities of a shard's texts do not depend on which process computes them, nor on the other shards.
    """

    @property
    def prefetch_depth(self) -> int:
        """Shards that are worth beginning before the first one is finished. It may change; read from any thread."""

    def begin(self, texts: Sequence[str]) -> Finish:
        """Begins with cleaned texts. The function returned gives their probabilities, (N, K) float32; call it once.

        Shards are finished in the order in which they were begun. `begin` may be called from another thread than the
        function returned, whose argument `on_batch` is called with the number of texts in each batch of each model.
        """

    def close(self) -> None:
        """Ends what was begun and is not finished."""


StartExecutor = Callable[["Run", ExecutorChoice], Executor]


def local_executor(run: "Run", choice: ExecutorChoice) -> Executor:
    """This process, or as many as the plan says; by default one for each GPU where there are several."""
    gpus: list[str | None] = [*all_gpus()]
    processes = run.plan.infer.processes or max(len(gpus), 1)
    if processes == 1:
        return open_in_process(choice)
    return WorkerProcesses(choice, [gpus[i % len(gpus)] if gpus else None for i in range(processes)])


class InProcess:
    """Classifies in this process: `begin` tokenises, the function that it returns computes."""

    prefetch_depth = 1

    def __init__(self, engines: Sequence[Engine], mixture: Mixture) -> None:
        self.engines, self.mixture = engines, mixture
        self._same_tokenizer = [_first_with_same_tokenizer(engines, i) for i in range(len(engines))]

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Executor."""
        tokens = self._tokens(texts)
        return lambda on_batch: self.mixture.apply(
            [engine.classify(t, on_batch) for engine, t in zip(self.engines, tokens, strict=True)]
        )

    def classify(self, texts: Sequence[str]) -> Floats:
        """(N, K) float32 of cleaned texts."""
        return self.begin(texts)(lambda read: None)

    def close(self) -> None:
        """Does nothing: no work is left over."""

    def _tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """For each engine; those with the same tokenizer share them, each cut to its own length."""
        encoded: dict[int, Tokens] = {}
        for i in dict.fromkeys(self._same_tokenizer):
            length = max(e.max_length for e, j in zip(self.engines, self._same_tokenizer, strict=True) if i == j)
            encoded[i] = encode(texts, self.engines[i].tokenizer, length)
        return [encoded[i].cut(e.max_length) for e, i in zip(self.engines, self._same_tokenizer, strict=True)]


def _first_with_same_tokenizer(engines: Sequence[Engine], i: int) -> int:
    return next(j for j in range(i + 1) if same_tokens(engines[j].tokenizer, engines[i].tokenizer))


def open_in_process(choice: ExecutorChoice) -> InProcess:
    """The chosen models, loaded in this process."""
    ways = zip(choice.ways, choice.members, strict=True)
    return InProcess([open_engine(way, member) for way, member in ways], choice.mixture)


def open_in_worker(choice: ExecutorChoice, threads: int) -> InProcess:
    """The chosen models, loaded in a process that does nothing else and computes with so many threads."""
    quiet_libraries()
    import torch

    torch.set_num_threads(threads)
    return open_in_process(choice)


class WorkerProcesses:
    """Classifies in several processes, each shard in one of them. They end with this one.

    devices: for each process the GPU that it sees, as CUDA_VISIBLE_DEVICES names it; None for the CPU, whose cores
    the processes share.
    """

    def __init__(self, choice: ExecutorChoice, devices: Sequence[str | None]) -> None:
        context = get_context("spawn")  # CUDA does not survive a fork
        free_devices = context.SimpleQueue()
        for device in devices:
            free_devices.put(device)
        threads = max(1, (os.cpu_count() or 1) // len(devices))
        self.prefetch_depth = len(devices) + 1
        self._models = len(choice.members)
        self._pool = ProcessPoolExecutor(
            len(devices),
            mp_context=context,
            initializer=_init_worker,
            initargs=(choice, free_devices, threads, os.getpid()),
        )

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Executor."""
        future: Future[Floats] = self._pool.submit(_classify, list(texts))

        def finish(on_batch: OnBatch) -> Floats:
            try:
                probabilities = future.result()
            except BrokenProcessPool as error:
                raise UserError(
                    "infer: a process that classifies was killed from outside, perhaps for want of memory",
                    "lower infer.processes in the plan, or run again: shards that are written are kept",
                ) from error
            on_batch(len(texts) * self._models)
            return probabilities

        return finish

    def close(self) -> None:
        """Ends the processes, in the middle of a shard if need be."""
        workers = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            with suppress(OSError):
                worker.terminate()


_in_this_worker: list[InProcess] = []  # one in each process of WorkerProcesses, none elsewhere


def _init_worker(choice: ExecutorChoice, free_devices: Any, threads: int, parent: int) -> None:
    """Takes a device that no other worker has, and loads the models there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    end_with(parent)
    device = free_devices.get()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    _in_this_worker.append(open_in_worker(choice, threads))


def _classify(texts: Sequence[str]) -> Floats:
    return _in_this_worker[0].classify(texts)
