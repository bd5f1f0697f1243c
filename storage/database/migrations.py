"""How the store's schema came to be: numbered steps, forward only, each in a transaction of its own.

A step never changes once it was released, so it spells its SQL out and does not use today's tables.
The SQL is what SQLite and PostgreSQL both understand.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Engine, Named, Table, TypedColumns, func, insert, inspect, select

from storage.database.columns import METADATA, Utc, writing
from storage.database.stage_renaming import rename_stages


class _Schema(TypedColumns):
    version: Named[int] = Column(primary_key=True)
    applied_at: Named[datetime] = Column(Utc)


SCHEMA = Table("moodline_schema", METADATA, _Schema)

_FIRST_TABLES = """
CREATE TABLE moodline_schema (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMP NOT NULL
);
CREATE TABLE moodline_stages (
    plan TEXT NOT NULL,
    stage TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    fingerprint TEXT NOT NULL,
    parts JSON NOT NULL,
    started_at TIMESTAMP NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    result JSON,
    message TEXT,
    PRIMARY KEY (plan, stage)
);
CREATE TABLE moodline_test_readings (
    id TEXT PRIMARY KEY,
    plan TEXT NOT NULL,
    read_by TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    read_at TIMESTAMP NOT NULL
);
CREATE TABLE moodline_labellers (
    identity TEXT PRIMARY KEY,
    description JSON NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE moodline_labels (
    labeller TEXT NOT NULL REFERENCES moodline_labellers (identity),
    key TEXT NOT NULL,
    probabilities JSON,
    label INTEGER,
    raw TEXT,
    tokens INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (labeller, key)
);
CREATE TABLE moodline_models (
    plan TEXT NOT NULL,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    study TEXT,
    trial INTEGER,
    candidate TEXT NOT NULL,
    path TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    value DOUBLE PRECISION,
    metrics JSON NOT NULL,
    recipe JSON NOT NULL,
    lineage JSON NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (plan, name)
);
CREATE TABLE moodline_shards (
    plan TEXT NOT NULL,
    model TEXT NOT NULL,
    file_sha TEXT NOT NULL,
    first_row BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    path TEXT NOT NULL,
    classified BIGINT NOT NULL,
    skipped JSON NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (plan, model, file_sha, first_row)
);
CREATE TABLE moodline_slots (
    study TEXT NOT NULL,
    slot INTEGER NOT NULL,
    trial INTEGER,
    worker TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started DOUBLE PRECISION NOT NULL,
    beat DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')),
    PRIMARY KEY (study, slot)
);
CREATE TABLE moodline_gold (
    plan TEXT NOT NULL,
    key TEXT NOT NULL,
    half TEXT NOT NULL CHECK (half IN ('tune', 'report')),
    PRIMARY KEY (plan, key)
);
CREATE TABLE moodline_salts (
    plan TEXT PRIMARY KEY,
    salt TEXT NOT NULL
)
"""


# A trial that two slots had counted twice: the later one is run again.
_SLOT_PROGRESS = """
ALTER TABLE moodline_slots ADD COLUMN moved DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE moodline_slots ADD COLUMN share DOUBLE PRECISION NOT NULL DEFAULT 0;
DELETE FROM moodline_slots WHERE trial IS NOT NULL AND EXISTS (
    SELECT 1 FROM moodline_slots AS earlier
    WHERE earlier.study = moodline_slots.study AND earlier.trial = moodline_slots.trial
        AND earlier.slot < moodline_slots.slot
);
CREATE UNIQUE INDEX moodline_slots_trial ON moodline_slots (study, trial)
"""

_ANNOTATIONS = """
CREATE TABLE moodline_annotations (
    plan TEXT NOT NULL,
    annotator TEXT NOT NULL,
    key TEXT NOT NULL,
    label TEXT,
    labelled_at TIMESTAMP NOT NULL,
    PRIMARY KEY (plan, annotator, key)
)
"""

_LABEL_COSTS = """
ALTER TABLE moodline_labels ADD COLUMN agreement DOUBLE PRECISION;
ALTER TABLE moodline_labels ADD COLUMN seconds DOUBLE PRECISION;
ALTER TABLE moodline_labels ADD COLUMN written INTEGER;
ALTER TABLE moodline_labels ADD COLUMN cost DOUBLE PRECISION;
ALTER TABLE moodline_labels ADD COLUMN currency TEXT
"""

_CHOICES = """
CREATE TABLE moodline_choices (
    plan TEXT NOT NULL,
    name TEXT NOT NULL,
    value JSON NOT NULL,
    chosen_at TIMESTAMP NOT NULL,
    PRIMARY KEY (plan, name)
)
"""

Migration = Callable[[Connection], None]


def _sql(statements: str) -> Migration:
    """The step that executes these statements, which semicolons divide."""

    def migration(connection: Connection) -> None:
        for statement in statements.split(";"):
            connection.exec_driver_sql(statement)

    return migration


MIGRATIONS: Sequence[Migration] = (
    *map(_sql, (_FIRST_TABLES, _SLOT_PROGRESS, _ANNOTATIONS, _LABEL_COSTS, _CHOICES)),
    rename_stages,
)
LATEST = len(MIGRATIONS)


def schema_version(connection: Connection) -> int:
    """The number of the last step that the store has, 0 for none."""
    if not inspect(connection).has_table(SCHEMA.name):
        return 0
    return connection.scalar(select(func.max(SCHEMA.c.version))) or 0


def migrate(engine: Engine, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Take the steps that the store has not had, in order. Call it under the creation lock.

    A step and its number are written together: after a kill the store is before the step or behind it.
    """
    while _took_a_step(engine, migrations):
        pass


def _took_a_step(engine: Engine, migrations: Sequence[Migration]) -> bool:
    with writing(engine) as connection:
        done = schema_version(connection)
        if done >= len(migrations):
            return False
        migrations[done](connection)
        connection.execute(insert(SCHEMA).values(version=done + 1, applied_at=datetime.now(UTC)))
    return True
