"""Who runs which trial: a worker claims a slot of the study's budget, and shows while it runs that it lives."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from storage import claims as table
from storage.claims import Slot
from storage.worker import Worker

BEAT_SECONDS = 10.0
# A worker of another machine is taken for dead after so long without a sign; one of this machine is looked at.
LEASE_SECONDS = 120.0


@dataclass(frozen=True)
class Claim:
    """A slot that this worker holds. trial: the number of the trial begun for it, None where none is known."""

    slot: int
    trial: int | None


class Claims:
    """One worker's view of the slots of one study.

    A study of T trials has T slots. Each is held by at most one worker at a time, and closed once: when its trial is
    complete or pruned. The database's primary key decides who gets a slot, so the total is exact with any number of
    workers. A dead worker's slot is taken over with the trial that it had begun.
    """

    def __init__(self, engine: Engine, study: str, worker: Worker) -> None:
        self.engine, self.study, self.worker = engine, study, worker

    def next(self, total: int) -> Claim | None:
        """A dead worker's slot, else a fresh one, else None: all are closed or held by the living."""
        for slot in self.open_slots(total):
            if not self._lives(slot) and table.take_over(self.engine, slot, self.worker, time.time()):
                return Claim(slot.slot, slot.trial)
        fresh = table.take_slot(self.engine, self.study, total, self.worker, time.time())
        return None if fresh is None else Claim(fresh, None)

    def open_slots(self, total: int) -> list[Slot]:
        """Slots within a budget of `total` whose trial runs, or was left running.

        One beyond it was begun under a larger budget; it rests until the budget is raised again.
        """
        return [slot for slot in table.slots(self.engine, self.study) if slot.state == "open" and slot.slot < total]

    def others_at_work(self, total: int) -> bool:
        """Whether another living worker runs a trial."""
        return any(slot.worker != self.worker.name and self._lives(slot) for slot in self.open_slots(total))

    def known_trials_and_others(self) -> tuple[set[int], bool]:
        """Numbers of the trials that belong to a slot, and whether another living worker holds one; one reading."""
        slots = table.slots(self.engine, self.study)
        others = any(slot.state == "open" and slot.worker != self.worker.name and self._lives(slot) for slot in slots)
        return {slot.trial for slot in slots if slot.trial is not None}, others

    def begin(self, claim: Claim, trial: int) -> None:
        """Notes the trial that runs for the claim."""
        table.set_trial(self.engine, self.study, claim.slot, self.worker, trial)

    def close(self, claim: Claim) -> None:
        """The claim's trial counts: complete or pruned."""
        table.close_slot(self.engine, self.study, claim.slot, self.worker)

    def free(self, claim: Claim) -> None:
        """The claim's trial failed and does not count; another takes its place."""
        table.free_slot(self.engine, self.study, claim.slot, self.worker)

    @contextmanager
    def alive(self, claim: Claim) -> Iterator[None]:
        """Shows every few seconds, from a thread, that the claim's worker lives."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat_until, args=(stop, claim), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _beat_until(self, stop: threading.Event, claim: Claim) -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                table.beat(self.engine, self.study, claim.slot, self.worker, time.time())
            except SQLAlchemyError:
                continue  # a database that is away for a moment must not end the trial; the lease has slack

    def _lives(self, slot: Slot) -> bool:
        return slot.worker == self.worker.name or not table.is_abandoned(slot, time.time(), LEASE_SECONDS)
