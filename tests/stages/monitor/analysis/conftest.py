"""A line with a day that stands out."""

from pathlib import Path

import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from tests.helpers.stormy_comments import LABELS, comments, write_comments


@pytest.fixture(scope="module")
def stormy_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comments(tmp_path_factory.mktemp("words") / "0.parquet", comments())


@pytest.fixture(scope="module")
def stormy_line(stormy_shard: Path) -> Line:
    settings = IndexSettings(every=["day"], min_comments=20, flood=None, author_cap=10)
    return daily_line([stormy_shard], LABELS, settings, 13)
