"""Shards of classified comments, made by hand or at random, and lines drawn from them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.schema.index_settings import IndexSettings
from stages.monitor.schema.line import Line
from tests.helpers.classified_shards import LABELS, WEIGHTS, Row, random_rows, write_shard
from tests.helpers.shifting_emotions import Simulation, corrected_line, simulate


@pytest.fixture
def shard(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: Sequence[Row], name: str = "shard", labels: Sequence[str] = LABELS) -> Path:
        return write_shard(tmp_path / f"{name}.parquet", rows, labels)

    return write


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """39 days with an index, among them an empty day and a day of three comments."""
    rows = [row for row in random_rows(4_000, 40) if row[0] and row[0].date().day not in (9, 10)]
    rows += [(datetime(2024, 1, 10, 12, tzinfo=UTC), f"late{i}", None, "분노") for i in range(3)]
    rows += [(None, "undated", None, "분노")] * 5
    path = write_shard(tmp_path_factory.mktemp("line") / "0.parquet", rows)
    settings = IndexSettings(weights=WEIGHTS, every=["day", "week", "month"], min_comments=20)
    return daily_line([path], LABELS, settings, seed=13)


@pytest.fixture(scope="session")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Comments whose true emotions are known, with gold."""
    return simulate(tmp_path_factory.mktemp("comments") / "0.parquet", seed=3, authors=60)


@pytest.fixture(scope="session")
def corrected(simulation: Simulation) -> Line:
    return corrected_line(simulation)
