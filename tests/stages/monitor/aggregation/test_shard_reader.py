"""Shards are read whatever their column types, and refused by name where they do not fit."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from tests.helpers.classified_shards import LABELS, NOON, WriteShard, line_from, random_rows
from transfer.errors import UserError


def test_a_shard_without_a_column_is_refused_by_name(shard: WriteShard) -> None:
    with pytest.raises(UserError, match=r"shard\.parquet: no column 'p_놀람'"):
        daily_line([shard(random_rows(9, 1))], [*LABELS, "놀람"], IndexSettings(), 13)


def test_nothing_classified_or_nothing_dated_is_a_clear_error(shard: WriteShard) -> None:
    with pytest.raises(UserError, match="no classified comments"):
        line_from([])
    with pytest.raises(UserError, match="none of the 2 classified comments has a time"):
        line_from([shard([(None, "a", None, "기쁨")] * 2)])


def test_times_in_other_units_and_dictionary_columns_are_read(tmp_path: Path, shard: WriteShard) -> None:
    table = pq.read_table(shard([(NOON, f"a{i}", None, "기쁨") for i in range(5)]))
    for name, kind in (("time", pa.timestamp("ns")), ("label", pa.dictionary(pa.int8(), pa.string()))):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    pq.write_table(table, tmp_path / "other.parquet")
    assert [period.n for period in line_from([tmp_path / "other.parquet"]).periods] == [5, 5]
