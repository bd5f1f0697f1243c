"""When a worker counts as dead, so that its trial is taken over."""

from collections.abc import Callable

from storage.records.trial_slots import Slot, owner_runs

# A worker of another machine is considered dead after so long without a heartbeat; one of this machine is looked up.
HEARTBEAT_TIMEOUT_SECONDS = 120.0
# A worker without progress is considered to hang. Long, for it reports none while a model of gigabytes is loaded
# from a network disk or a large validation set is evaluated on a CPU; and a trial that was taken from a slow
# worker costs what it had done since its last checkpoint.
HANG_SECONDS = 1800.0


class DeadWorkers:
    """One worker's judgement of the others, by the slots that they hold.

    A worker of this host is dead when its process is gone. One of another host is given up when this worker has seen
    no new heartbeat of it for HEARTBEAT_TIMEOUT_SECONDS, and any worker when it has seen no progress of it for
    HANG_SECONDS. The times are those that this worker itself was awake: neither clocks that differ nor a laptop's sleep
    cost a trial.
    """

    def __init__(self, own_name: str, clock: Callable[[], float]) -> None:
        """clock: seconds that this machine was awake."""
        self.own_name, self.clock = own_name, clock
        self._seen: dict[tuple[int, str, str], tuple[float | None, float]] = {}  # a time, and since when

    def is_dead(self, slot: Slot) -> bool:
        """Whether the slot's worker is dead."""
        if slot.worker == self.own_name:
            return False
        runs = owner_runs(slot)
        silent, still = self._unchanged_for(slot, "beat"), self._unchanged_for(slot, "moved")
        return runs is False or (runs is None and silent > HEARTBEAT_TIMEOUT_SECONDS) or still > HANG_SECONDS

    def _unchanged_for(self, slot: Slot, field: str) -> float:
        """For how many seconds this worker has seen the same time in a field of another's slot."""
        key, now = (slot.slot, slot.worker, field), self.clock()
        value, since = self._seen.get(key, (None, now))
        if value != getattr(slot, field):
            since = now
        self._seen[key] = (getattr(slot, field), since)
        return now - since
