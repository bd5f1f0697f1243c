"""Shards dealt to hands that may be lost on the way: what one of them has not finished, another one does.

A hand is a process somewhere that classifies one shard after another. Nothing here knows what the machines between
are: stages.infer.ray_executor brings those of Ray.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from queue import PriorityQueue
from typing import Protocol

from stages.infer.executors import Finish, Floats
from transfer.engines.inference_engine import OnBatch
from transfer.errors import UserError

LOOK_SECONDS = 1.0
JOIN_SECONDS = 5.0
# Comments that so many hands were lost over are more likely the cause than not.
MOST_LOSSES = 3


class Lost(Exception):
    """A hand is gone, with whatever it had in work."""


class RayWorker(Protocol):
    """Classifies shards, one at a time, each by itself alone."""

    @property
    def name(self) -> str:
        """As messages have it."""

    def open(self) -> None:
        """Waits until the models are there. Raises Lost, and UserError where they cannot be."""

    def classify(self, texts: Sequence[str]) -> Floats:
        """(N, K) float32 of cleaned texts. Raises Lost."""

    def end(self) -> None:
        """Ends it, in the midst of a shard if need be; from any thread."""


@dataclass(order=True)
class _Job:
    """A shard's texts on their way. number: the earlier shard comes first, also when it comes a second time."""

    number: int
    texts: Sequence[str] = field(compare=False)
    found: "Future[Floats]" = field(compare=False, default_factory=Future)
    losses: int = field(compare=False, default=0)


class WorkQueue:
    """A Classifier that deals shards to hands, each of which has a thread that waits for it.

    hands: opened by now. more: gives hands that came since it was last asked; they are opened here. members: models
    that read each text. say: is told of hands that came and went. Where none is left for `patience` seconds, the shard
    that is waited for raises UserError.
    """

    def __init__(
        self,
        hands: Sequence[RayWorker],
        members: int,
        say: Callable[[str], None],
        more: Callable[[], Sequence[RayWorker]] = list,
        patience: float = 60.0,
    ) -> None:
        self._members, self._say, self._more, self._patience = members, say, more, patience
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._begun, self._over, self._alone = 0, False, 0.0
        self._threads: dict[threading.Thread, RayWorker] = {}
        self._take_on(hands)

    @property
    def ahead(self) -> int:
        """See Classifier: one for each hand that is there now, and one more."""
        return sum(thread.is_alive() for thread in list(self._threads)) + 1

    def begin(self, texts: Sequence[str]) -> Finish:
        """See Classifier."""
        job = _Job(self._begun, list(texts))
        self._begun += 1
        self._jobs.put(job)

        def finish(heard: OnBatch) -> Floats:
            found = self._waited_for(job)
            heard(len(texts) * self._members)
            return found

        return finish

    def close(self) -> None:
        """Ends all hands, and waits for their threads."""
        self._over = True
        for hand in self._threads.values():
            hand.end()
        for _ in self._threads:
            self._jobs.put(_Job(-1, []))  # who waits for work wakes up
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    def _waited_for(self, job: _Job) -> Floats:
        while True:
            try:
                return job.found.result(LOOK_SECONDS)
            except NotYet:
                self._take_on(self._more())
                self._look()

    def _take_on(self, hands: Sequence[RayWorker]) -> None:
        for hand in hands:
            thread = threading.Thread(target=self._serve, args=(hand,), daemon=True)
            self._threads[thread] = hand
            thread.start()

    def _look(self) -> None:
        """Raises UserError where nobody has been there to do the work for too long."""
        self._alone = 0.0 if any(thread.is_alive() for thread in self._threads) else self._alone + LOOK_SECONDS
        if self._alone >= self._patience:
            raise UserError(
                f"infer: nobody is left to classify, for {self._patience:g} s",
                "see to the nodes, then run again: shards that are written are kept",
            )

    def _serve(self, hand: RayWorker) -> None:
        """What a hand's thread does until the end, or the hand's."""
        try:
            hand.open()
        except (Lost, UserError) as error:
            self._part_from(hand, str(error))
            return
        while not self._over:
            job = self._jobs.get()
            if job.number < 0:
                return
            try:
                job.found.set_result(hand.classify(job.texts))
            except Lost as error:
                self._give_back(job)
                self._part_from(hand, str(error))
                return
            except BaseException as error:  # noqa: BLE001 - goes to whoever waits for the shard
                job.found.set_exception(error)

    def _give_back(self, job: _Job) -> None:
        job.losses += 1
        if job.losses < MOST_LOSSES:
            self._jobs.put(job)
            return
        job.found.set_exception(
            UserError(
                f"infer: {job.losses} nodes were lost one after another over the same {len(job.texts):,} comments, "
                "perhaps for want of memory",
                "lower infer.processes or infer.shard_rows in the plan, or run again: shards that are written are kept",
            )
        )

    def _part_from(self, hand: RayWorker, why: str) -> None:
        hand.end()
        if not self._over:
            self._say(f"infer: {hand.name} is lost, others do its work: {why}")
