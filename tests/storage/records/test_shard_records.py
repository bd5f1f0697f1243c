"""What is recorded of classified shards, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from storage.records import shard_records
from storage.records.shard_records import ShardRecord

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)

SHARD = ShardRecord("plan", "final", "sha", 0, 100, "shards/0.parquet", 98, {"empty text": 2}, NOON)


def test_shards_recorded_twice_count_once_and_come_in_order(store: Engine) -> None:
    second = replace(SHARD, first_row=100, rows=20, path="shards/1.parquet", classified=20, skipped={})
    for shard in (second, SHARD, SHARD, replace(SHARD, model="other"), replace(SHARD, plan="another")):
        shard_records.record_shard(store, shard)
    assert shard_records.shards_of(store, "plan", "final") == [SHARD, second]
    shard_records.forget_shards(store, "plan")
    assert shard_records.shards_of(store, "plan", "final") == []
    assert shard_records.shards_of(store, "plan", "other") == []
    assert len(shard_records.shards_of(store, "another", "final")) == 1
