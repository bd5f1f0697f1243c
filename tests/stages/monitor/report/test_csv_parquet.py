import csv
from pathlib import Path

from stages.monitor.line_result import line_result
from stages.monitor.report.csv_parquet import write_csv
from stages.monitor.schema.line import Line


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_has_a_row_a_period_with_intervals_and_empty_cells_in_gaps(line: Line, tmp_path: Path) -> None:
    write_csv(line, tmp_path / "new" / "line.csv")
    rows = rows_of(tmp_path / "new" / "line.csv")
    assert list(rows[0])[:8] == [
        "every",
        "start",
        "n",
        "clusters",
        "share_분노",
        "share_분노_low",
        "share_분노_high",
        "probability_분노",
    ]
    assert list(rows[0])[-4:] == ["index", "index_low", "index_high", "is_whole"]
    assert len(rows) == len(line.periods)
    days = {row["start"]: row for row in rows if row["every"] == "day"}
    assert days["2024-01-10"]["n"] == "3"
    assert {days["2024-01-10"][name] for name in ("share_분노", "share_분노_low", "probability_분노", "index")} == {""}
    full = days["2024-01-05"]
    assert float(full["index_low"]) < float(full["index"]) < float(full["index_high"])
    assert sum(float(full[f"share_{label}"]) for label in line.labels) - 1 < 1e-5
    assert {row["every"] for row in rows} == {"day", "week", "month"}
    # the comments go from the first of January to the ninth of February, a Friday
    partial = {(row["every"], row["start"]) for row in rows if row["is_whole"] == "0"}
    assert partial == {("week", "2024-02-05"), ("month", "2024-02-01")}
    assert {(p["every"], p["start"]) for p in line_result(line).as_json()["periods"] if not p["is_whole"]} == partial


def test_excel_sees_that_the_csv_is_unicode(line: Line, tmp_path: Path) -> None:
    write_csv(line, tmp_path / "line.csv")
    assert (tmp_path / "line.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(tmp_path.iterdir()) == [tmp_path / "line.csv"]
