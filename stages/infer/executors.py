"""Who classifies the texts of a shard: this process, or several of this machine, a GPU each where there are some."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transfer.encoders.tokenization import Tokens, encode, same_tokens
from transfer.engines.engine_factory import Member, open_engine
from transfer.engines.inference_engine import Engine, EngineVariant, OnBatch
from transfer.ensembling.combination import Mixture
from transfer.errors import UserError

Floats = NDArray[np.float32]
Finish = Callable[[OnBatch], Floats]


@dataclass(frozen=True)
class ExecutorChoice:
    """The models that classify, how each is computed, and how their probabilities become one."""

    members: Sequence[Member]
    ways: Sequence[EngineVariant]
    how: Mixture


class Executor(Protocol):
    """Classifies one shard's texts after another.

    What comes out for a shard's texts does not depend on who computes it, nor on what else is in work.
    """

    @property
    def ahead(self) -> int:
        """Shards that are worth beginning before the first one is finished; from any thread. It may change."""

    def begin(self, texts: Sequence[str]) -> Finish:
        """Begins with cleaned texts, and returns what gives their probabilities, (N, K) float32, when called, once.

        Shards are finished in the order in which they were begun. It may be called from another thread than what it
        returns, which is told how many texts each batch of each member held.
        """

    def close(self) -> None:
        """Ends what was begun and is not finished."""


class InProcess:
    """Classifies in this process: `begin` tokenises, finishing computes."""

    ahead = 1

    def __init__(self, engines: Sequence[Engine], how: Mixture) -> None:
        self.engines, self.how = engines, how
        self._first = [_first_alike(engines, i) for i in range(len(engines))]

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Classifier."""
        tokens = self._tokens(texts)
        return lambda heard: self.how.apply(
            [engine.classify(t, heard) for engine, t in zip(self.engines, tokens, strict=True)]
        )

    def close(self) -> None:
        """Nothing is left over."""

    def _tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """For each engine; those with the same tokenizer share them, each cut to its own length."""
        made: dict[int, Tokens] = {}
        for i in dict.fromkeys(self._first):
            length = max(e.max_length for e, first in zip(self.engines, self._first, strict=True) if first == i)
            made[i] = encode(texts, self.engines[i].tokenizer, length)
        return [made[first].cut(e.max_length) for e, first in zip(self.engines, self._first, strict=True)]


def _first_alike(engines: Sequence[Engine], i: int) -> int:
    """Index of the first engine that has the tokenizer of engine i."""
    return next(j for j in range(i + 1) if same_tokens(engines[j].tokenizer, engines[i].tokenizer))


def opened(team: ExecutorChoice) -> InProcess:
    """The team in this process."""
    ways = zip(team.ways, team.members, strict=True)
    return InProcess([open_engine(way, member) for way, member in ways], team.how)


class WorkerProcesses:
    """Classifies in several processes, each shard in one of them.

    devices: for each process the GPU that it sees, as CUDA_VISIBLE_DEVICES names it; None for the processor, whose
    cores the processes share. They end with this one.
    """

    def __init__(self, team: ExecutorChoice, devices: Sequence[str | None]) -> None:
        context = get_context("spawn")  # CUDA does not survive a fork
        waiting = context.SimpleQueue()
        for device in devices:
            waiting.put(device)
        threads = max(1, (os.cpu_count() or 1) // len(devices))
        self.ahead = len(devices) + 1
        self._members = len(team.members)
        self._pool = ProcessPoolExecutor(
            len(devices), mp_context=context, initializer=_settle, initargs=(team, waiting, threads, os.getpid())
        )

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Classifier."""
        future: Future[Floats] = self._pool.submit(_classify, list(texts))

        def finish(heard: OnBatch) -> Floats:
            try:
                found = future.result()
            except BrokenProcessPool as error:
                raise UserError(
                    "infer: a process that classifies was ended from outside, perhaps for want of memory",
                    "lower infer.processes in the plan, or run again: shards that are written are kept",
                ) from error
            heard(len(texts) * self._members)
            return found

        return finish

    def close(self) -> None:
        """Ends the processes, in the midst of a shard if need be."""
        workers = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            with suppress(OSError):
                worker.terminate()


_here: list[InProcess] = []  # in a process of Processes: what it classifies with


def _settle(team: ExecutorChoice, waiting: Any, threads: int, leader: int) -> None:
    """Begins a process: it takes a device that none of the others has, and opens the models there."""
    from stages.runtime.local_workers import end_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the leader, who then ends the others
    end_with(leader)
    device = waiting.get()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    _here.append(settled(team, threads))


def settled(team: ExecutorChoice, threads: int) -> InProcess:
    """The team in this process, which does nothing else: so many threads compute, and libraries keep quiet."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return opened(team)


def _classify(texts: Sequence[str]) -> Floats:
    return _here[0].begin(texts)(lambda read: None)
