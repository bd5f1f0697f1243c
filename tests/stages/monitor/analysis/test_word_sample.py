"""Comments whose words are counted: of the days asked for, within the caps."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.aggregation.cluster_ids import cluster_hashes
from stages.monitor.aggregation.shard_reader import all_have
from stages.monitor.analysis import word_sample
from stages.monitor.analysis.word_sample import KEY, Span, sample_comments
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from tests.helpers.stormy_comments import LABELS, STORM, comments, write_comments


def test_comments_that_caps_leave_out_are_not_read(stormy_shard: Path, stormy_line: Line) -> None:
    assert stormy_line.removed.rows == {"author cap": 30}
    left = sample_comments([stormy_shard], LABELS, "UTC", [], stormy_line.removed.comments)
    assert len(left) == len(comments()) - 30
    hashes = cluster_hashes(pa.record_batch({"id": left.column("id").combine_chunks()}), "comment")[0]
    assert not np.isin(hashes, stormy_line.removed.comments).any()


def test_a_flood_that_is_left_out_takes_nobodys_place_in_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = [(f"f{i}", STORM, f"bot{i}", "anger", f"buy now at shop number {i}") for i in range(3000)]
    path = write_comments(tmp_path / "0.parquet", [*comments(), *flood])
    line = daily_line([path], LABELS, IndexSettings(every=["day"], flood=20, author_cap=None), 13)
    assert sum(line.removed.rows.values()) >= 2980
    monkeypatch.setattr(word_sample, "OF_ALL", 200)
    monkeypatch.setattr(word_sample, "OF_PERIOD", 50)
    span = Span(np.datetime64("2024-01-01") + STORM, np.datetime64("2024-01-02") + STORM)
    found = sample_comments([path], LABELS, "UTC", [span], line.removed.comments)
    assert sum(found.column("of_all").to_pylist()) == 200
    assert sum(found.column("in_0").to_pylist()) >= 50
    assert sum(identity.startswith("f") for identity in found.column("id").to_pylist()) <= 20


def test_shards_without_keys_give_no_words(tmp_path: Path, stormy_shard: Path) -> None:
    pq.write_table(pq.read_table(stormy_shard).drop_columns(["key"]), tmp_path / "old.parquet")
    assert not all_have([stormy_shard, tmp_path / "old.parquet"], KEY)
