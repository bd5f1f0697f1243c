"""Which stages of a plan were begun, how they ended, and every reading of the original test split.

One process, the workspace's coordinator, writes a plan's stages; any number may read. A coordinator that was killed
leaves its stage "running": that is true only while the workspace's lock is held
(`storage.locks.workspace_lock.holder`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Column, ColumnElement, Engine, Named, Table, TypedColumns, and_, delete, insert, select, update

from storage.database.columns import METADATA, Utc, change, insert_or_replace, records, storable, table_of, writing
from storage.errors import StoreError

State = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of one plan, as it stands.

    fingerprint: hash of all that the result depends on; parts: its named parts (short hashes or values), by
    which a change can be named; started_at: UTC, of the last attempt; seconds: spent in all attempts with
    this fingerprint that ended otherwise than by a kill; result: what the stage gave, once done; message: why
    it failed or was interrupted.
    """

    plan: str
    stage: str
    state: State
    fingerprint: str
    parts: dict[str, Any]
    started_at: datetime
    seconds: float
    result: dict[str, Any] | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the original test split: by which command or stage, with which inputs, when (UTC)."""

    plan: str
    read_by: str
    fingerprint: str
    read_at: datetime


class _Readings(TypedColumns):
    id: Named[str] = Column(primary_key=True)
    plan: Named[str]
    read_by: Named[str]
    fingerprint: Named[str]
    read_at: Named[datetime] = Column(Utc)


STAGES = table_of(StageRecord, "moodline_stages", "plan", "stage")
READINGS = Table("moodline_test_readings", METADATA, _Readings)


def begin(engine: Engine, plan: str, stage: str, fingerprint: str, parts: Mapping[str, Any]) -> None:
    """The stage is running from now on. An earlier attempt's seconds count on if its fingerprint was the same."""
    before = read(engine, plan, stage)
    spent = before.seconds if before is not None and before.fingerprint == fingerprint else 0.0
    row = StageRecord(plan, stage, "running", fingerprint, dict(parts), datetime.now(UTC), spent, None, None)
    with writing(engine) as connection:
        insert_or_replace(connection, STAGES, [asdict(row)])


def finish(engine: Engine, plan: str, stage: str, seconds: float, result: Mapping[str, Any]) -> None:
    """The stage is done; `seconds` is what this attempt took. Raises StoreError if it was not begun."""
    _end(engine, plan, stage, "done", seconds, result=dict(result), message=None)


def fail(engine: Engine, plan: str, stage: str, seconds: float, message: str) -> None:
    """The stage failed for the reason given. Raises StoreError if it was not begun."""
    _end(engine, plan, stage, "failed", seconds, result=None, message=storable(message))


def interrupt(engine: Engine, plan: str, stage: str, seconds: float, message: str) -> None:
    """The stage was interrupted from outside (Ctrl-C, a signal). Raises StoreError if it was not begun."""
    _end(engine, plan, stage, "interrupted", seconds, result=None, message=storable(message))


def _end(engine: Engine, plan: str, stage: str, state: State, seconds: float, **end: Any) -> None:
    ended = update(STAGES).where(_of(plan, stage)).values(state=state, seconds=STAGES.c.seconds + seconds, **end)
    if change(engine, ended) == 0:
        raise StoreError(f"stage {stage!r} of plan {plan!r}: not begun, or forgotten since", "run it again")


def read(engine: Engine, plan: str, stage: str) -> StageRecord | None:
    """The stage's record; None if it was never begun."""
    return next(iter(records(engine, select(STAGES).where(_of(plan, stage)), StageRecord)), None)


def read_all(engine: Engine, plan: str) -> list[StageRecord]:
    """The records of the plan's stages, in the order of their last start."""
    wanted = select(STAGES).where(STAGES.c.plan == plan).order_by(STAGES.c.started_at, STAGES.c.stage)
    return records(engine, wanted, StageRecord)


def forget(engine: Engine, plan: str, stage: str) -> None:
    """As if the stage had never begun. What it put elsewhere (studies, models, labels, shards) stays."""
    change(engine, delete(STAGES).where(_of(plan, stage)))


def count_test_reading(engine: Engine, plan: str, by: str, fingerprint: str) -> None:
    """Count one reading of the test split by a stage or command; the same one twice counts twice."""
    row = {"id": uuid4().hex, "plan": plan, "read_by": by, "fingerprint": fingerprint}
    change(engine, insert(READINGS).values(read_at=datetime.now(UTC), **row))


def test_readings(engine: Engine, plan: str) -> list[Reading]:
    """Every reading of the plan's test split, oldest first. `forget` leaves them."""
    columns = (READINGS.c.plan, READINGS.c.read_by, READINGS.c.fingerprint, READINGS.c.read_at)
    wanted = select(*columns).where(READINGS.c.plan == plan).order_by(READINGS.c.read_at)
    return records(engine, wanted, Reading)


def _of(plan: str, stage: str) -> ColumnElement[bool]:
    return and_(STAGES.c.plan == plan, STAGES.c.stage == stage)
