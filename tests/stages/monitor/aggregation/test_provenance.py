"""A point's way back: to the shards with its comments, their files, the model."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.aggregation.provenance import Shard, origins_of
from stages.monitor.report.csv_parquet import write_context
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.report.plot_data import line_data
from stages.monitor.schema.index_settings import IndexSettings
from tests.helpers.classified_shards import LABELS, random_rows


def test_each_period_names_the_shards_that_hold_its_comments(shard: Callable[..., Path], tmp_path: Path) -> None:
    rows = sorted(random_rows(1200, 90), key=lambda row: str(row[0]))
    paths = [shard(rows[:500], "a"), shard(rows[500:900], "b"), shard(rows[900:], "c")]
    line = daily_line(paths, LABELS, IndexSettings(every=["week", "month"], min_comments=20), 13)
    records = [Shard(f"shards/m/{p.stem}.parquet", f"{i // 2:064x}", 500 * i, 400, "m") for i, p in enumerate(paths)]
    origins = origins_of(line, records, paths)
    months = dict(zip([p.start for p in line.periods if p.every == "month"], origins.periods["month"], strict=True))
    assert months == {date(2024, 1, 1): ((0, 0),), date(2024, 2, 1): ((0, 1),), date(2024, 3, 1): ((1, 2),)}
    write_context(line, Context(origins=origins), tmp_path / "out")
    with (tmp_path / "out/lineage.csv").open(encoding="utf-8-sig") as file:
        found = [row for row in csv.DictReader(file) if row["every"] == "month"]
    assert [(row["start"], row["shard"][-9:], row["file_sha256"][-1], row["first_row"]) for row in found[:3]] == [
        ("2024-01-01", "a.parquet", "0", "0"),
        ("2024-02-01", "a.parquet", "0", "0"),
        ("2024-02-01", "b.parquet", "0", "500"),
    ]
    assert pq.read_table(tmp_path / "out/forecast.parquet").num_rows == 0
    data = json.loads(json.dumps(line_data(line, Context(origins=origins))))
    assert data["periods"]["month"]["origins"] == [[[0, 0]], [[0, 1]], [[1, 2]]]
    assert data["shards"] == [[0, 0, 400], [0, 500, 400], [1, 1000, 400]]
    write_page(line, [], {}, tmp_path / "p.html", context=Context(origins=origins))
    page = (tmp_path / "p.html").read_text("utf-8")
    assert "shards/m/b.parquet" in page
    assert f"{1:064x}" in page
