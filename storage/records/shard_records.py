"""Which rows of which comment files were classified by which model, and the shard that holds the outcome.

Files first, record second: a shard is recorded once its file lies whole in its place, so a killed inference
goes on at the first row without a record.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Engine, delete, select

from storage.database.columns import change, insert_or_replace, records, table_of, writing


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """One shard: the rows [first_row, first_row + rows) of the comment file whose content hashes to file_sha.

    model: what classified them; path: where the shard lies; rows: that it holds; classified: texts that the model
    read for it; skipped: the reason and number of the rows that are not in it; created_at: UTC.
    """

    plan: str
    model: str
    file_sha: str
    first_row: int
    rows: int
    path: str
    classified: int
    skipped: dict[str, int]
    created_at: datetime


BIG = BigInteger()
SHARDS = table_of(
    ShardRecord, "moodline_shards", "plan", "model", "file_sha", "first_row", first_row=BIG, rows=BIG, classified=BIG
)


def record_shard(engine: Engine, record: ShardRecord) -> None:
    """Record the shard, in the place of an earlier one of that model that began at the same row of the file."""
    with writing(engine) as connection:
        insert_or_replace(connection, SHARDS, [asdict(record)])


def shards_of(engine: Engine, plan: str, model: str) -> list[ShardRecord]:
    """The model's shards, each file's in the order of its rows."""
    wanted = select(SHARDS).where(SHARDS.c.plan == plan, SHARDS.c.model == model)
    return records(engine, wanted.order_by(SHARDS.c.file_sha, SHARDS.c.first_row), ShardRecord)


def shards_below(engine: Engine, plan: str, prefix: str) -> list[ShardRecord]:
    """The plan's shards whose path begins with `prefix`, the oldest first."""
    wanted = select(SHARDS).where(SHARDS.c.plan == plan, SHARDS.c.path.startswith(prefix, autoescape=True))
    return records(engine, wanted.order_by(SHARDS.c.created_at, SHARDS.c.path), ShardRecord)


def forget_shards(engine: Engine, plan: str) -> None:
    """As if nothing had been classified for the plan. The shards' files stay: remove them next."""
    change(engine, delete(SHARDS).where(SHARDS.c.plan == plan))
