"""Who runs which trial: a worker claims a slot of the study's budget, and shows by its heartbeat that it is alive."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from storage.database.locks import named_lock
from storage.database.retry import PATIENCE_SECONDS, with_retries
from storage.process_identity import ProcessIdentity
from storage.records import trial_slots as table
from storage.records.trial_slots import Slot
from studies.trials.heartbeat import Heartbeat, LostClaim
from studies.workers.dead_workers import DeadWorkers


@dataclass(frozen=True)
class TrialClaim:
    """A slot that this worker holds. trial: the number of the trial begun for it, None where none is known."""

    slot: int
    trial: int | None


class TrialClaims:
    """One worker's view of the slots of one study.

    How slots and trials belong together: see storage.records.trial_slots. A dead worker's slot is taken over with the
    trial that it had begun.
    """

    def __init__(
        self, engine: Engine, study: str, worker: ProcessIdentity, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """clock: seconds that this machine was awake."""
        self.engine, self.study, self.worker, self.clock = engine, study, worker, clock
        self.dead_workers = DeadWorkers(worker.name, clock)

    def next(self, total: int) -> TrialClaim | None:
        """A dead worker's slot, else a free one, else None: all are closed or held by running workers."""
        for slot in self.open_slots(total):
            if slot.worker == self.worker.name:  # the caller runs none: it got this one, and the answer was lost
                return TrialClaim(slot.slot, slot.trial)
            if self.dead_workers.is_dead(slot) and table.take_over(self.engine, slot, self.worker, time.time()):
                return TrialClaim(slot.slot, slot.trial)
        free = table.take_slot(self.engine, self.study, total, self.worker, time.time())
        return None if free is None else TrialClaim(free, None)

    def open_slots(self, total: int) -> list[Slot]:
        """Slots within a budget of `total` whose trial runs, or was left running.

        One beyond it was begun under a larger budget; it stays until the budget is raised.
        """
        return [slot for slot in self._slots() if slot.state == "open" and slot.slot < total]

    def is_used_up(self, total: int) -> bool:
        """Whether every slot of the budget is closed."""
        return {slot.slot for slot in self._slots() if slot.state == "done"} >= set(range(total))

    def others_at_work(self, total: int) -> bool:
        """Whether another living worker runs a trial."""
        return any(
            slot.worker != self.worker.name and not self.dead_workers.is_dead(slot) for slot in self.open_slots(total)
        )

    def trials(self) -> dict[int, int]:
        """Numbers of the trials that belong to a slot, by slot."""
        return {slot.slot: slot.trial for slot in self._slots() if slot.trial is not None}

    def turn(self) -> AbstractContextManager[None]:
        """Only one worker of the study is inside at a time: to choose a trial with all others in view."""
        return named_lock(self.engine, f"{self.study}: next trial", PATIENCE_SECONDS)

    def begin(self, claim: TrialClaim, trial: int) -> bool:
        """Makes the trial the claim's; False where it is another's. Raises LostClaim."""
        took = with_retries(lambda: table.set_trial(self.engine, self.study, claim.slot, self.worker, trial))
        if not took:
            self._record(claim, None, None)
        return took

    def close(self, claim: TrialClaim) -> None:
        """The claim's trial counts: complete or pruned. Nothing is changed where the claim was lost."""
        with_retries(lambda: table.close_slot(self.engine, self.study, claim.slot, self.worker))

    def free(self, claim: TrialClaim) -> None:
        """The claim's trial failed and does not count; another takes its place. Nothing where the claim was lost."""
        with_retries(lambda: table.free_slot(self.engine, self.study, claim.slot, self.worker))

    @contextmanager
    def alive(self, claim: TrialClaim) -> Iterator[Heartbeat]:
        """Shows every few seconds, from a thread, that the claim's worker is alive, and its progress."""
        heartbeat = Heartbeat(lambda moved, share: self._record(claim, moved, share))
        with heartbeat.beating():
            yield heartbeat

    def _record(self, claim: TrialClaim, moved: float | None, share: float | None) -> None:
        if not table.record_heartbeat(self.engine, self.study, claim.slot, self.worker, time.time(), moved, share):
            raise LostClaim(f"slot {claim.slot} of '{self.study}' is another worker's now")

    def _slots(self) -> list[Slot]:
        return with_retries(lambda: table.slots(self.engine, self.study))
