"""Who runs which of a study's trials: one slot a trial, so that the total is exact under any number of workers.

A study of N trials has slots 0 to N-1. A worker takes a slot, runs one trial in it, and closes it ("done") when
the trial is complete or pruned, or frees it when the trial failed, so that another is run instead. Taking is
decided by the primary key, who runs a trial by a unique index, and everything later by the owner's name: any number
of processes and hosts may call all of this at once; each slot has one owner and each trial one slot. A killed
worker's slot stays open as it was at its last heartbeat. Another worker that finds it abandoned takes it over; the
former owner, if it still runs, learns that from its next `record_heartbeat`.
Times are seconds since 1970 (UTC), and the caller's: this module has no clock.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Index, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from storage.database.columns import change, insert_new, records, table_of, writing
from storage.process_identity import ProcessIdentity, is_running


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot as it was read.

    trial: the number that Optuna gave, None before that. worker: the owner's name. beat: time of the owner's
    last heartbeat. moved: when its trial last made progress (a training step, an evaluated epoch); a worker with
    heartbeats and without progress hangs. share: of the trial's training that is done, 0 to 1.
    """

    study: str
    slot: int
    trial: int | None
    worker: str
    host: str
    pid: int
    process_started: float
    beat: float
    moved: float
    share: float
    state: Literal["open", "done"]


SLOTS = table_of(Slot, "moodline_slots", "study", "slot")
Index("moodline_slots_trial", SLOTS.c.study, SLOTS.c.trial, unique=True)


def slots(engine: Engine, study: str) -> list[Slot]:
    """The study's slots that were taken, in their order."""
    wanted = select(SLOTS).where(SLOTS.c.study == study).order_by(SLOTS.c.slot)
    return records(engine, wanted, Slot)


def take_slot(engine: Engine, study: str, total: int, worker: ProcessIdentity, now: float) -> int | None:
    """Make the worker the owner of the lowest slot below `total` that is free; None if all are taken."""
    while (slot := _lowest_unused(engine, study, total)) is not None:
        row = {"study": study, "slot": slot, "trial": None, "share": 0.0, "state": "open", **_owner(worker, now)}
        with writing(engine) as connection:
            if insert_new(connection, SLOTS, [row]):
                return slot
    return None


def _lowest_unused(engine: Engine, study: str, total: int) -> int | None:
    with engine.connect() as connection:
        used = set(connection.scalars(select(SLOTS.c.slot).where(SLOTS.c.study == study)))
    return next((slot for slot in range(total) if slot not in used), None)


def _owner(worker: ProcessIdentity, now: float) -> dict[str, Any]:
    own = asdict(worker)
    return {"worker": own.pop("name"), **own, "beat": now, "moved": now}


def owner_runs(slot: Slot) -> bool | None:
    """Whether the process of the slot's owner lives; None where that cannot be seen, because it is another host's."""
    return is_running(slot.host, slot.pid, slot.process_started)


def take_over(engine: Engine, seen: Slot, worker: ProcessIdentity, now: float) -> bool:
    """Make the worker the owner of an open slot, trial included, if it is still exactly as it was seen.

    Of several that try, one gets True; all get False after another heartbeat of the owner.
    """
    as_seen = and_(_open(seen.study, seen.slot, seen.worker), SLOTS.c.beat == seen.beat, SLOTS.c.moved == seen.moved)
    return _change(engine, as_seen, **_owner(worker, now))


def set_trial(engine: Engine, study: str, slot: int, worker: ProcessIdentity, trial: int) -> bool:
    """Make the trial the slot's, once: False, and nothing is changed, when it is another slot's.

    False too when the slot is not ours any more, or has another trial.
    """
    without = or_(SLOTS.c.trial.is_(None), SLOTS.c.trial == trial)
    try:
        return _change(engine, and_(_open(study, slot, worker.name), without), trial=trial)
    except IntegrityError:  # the unique index: of several workers one gets the trial
        return False


def record_heartbeat(
    engine: Engine,
    study: str,
    slot: int,
    worker: ProcessIdentity,
    now: float,
    moved: float | None = None,
    share: float | None = None,
) -> bool:
    """Record that the owner runs, and its progress. False when the slot is not ours any more: leave its trial alone."""
    progress = {name: value for name, value in (("moved", moved), ("share", share)) if value is not None}
    return _change(engine, _open(study, slot, worker.name), beat=now, **progress)


def close_slot(engine: Engine, study: str, slot: int, worker: ProcessIdentity) -> bool:
    """The slot's trial counts, and the slot stays closed. False when the slot is not ours any more."""
    return _change(engine, _open(study, slot, worker.name), state="done")


def free_slot(engine: Engine, study: str, slot: int, worker: ProcessIdentity) -> bool:
    """Give the slot back, for another trial in place of one that failed. False when it is not ours any more."""
    return change(engine, delete(SLOTS).where(_open(study, slot, worker.name))) == 1


def forget_slots(engine: Engine, study: str) -> None:
    """Removes all slots of the study, for one that is reset."""
    change(engine, delete(SLOTS).where(SLOTS.c.study == study))


def _open(study: str, slot: int, owner: str) -> ColumnElement[bool]:
    return and_(SLOTS.c.study == study, SLOTS.c.slot == slot, SLOTS.c.worker == owner, SLOTS.c.state == "open")


def _change(engine: Engine, which: ColumnElement[bool], **values: Any) -> bool:
    return change(engine, update(SLOTS).where(which).values(**values)) == 1
