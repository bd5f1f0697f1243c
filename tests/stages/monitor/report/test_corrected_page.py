"""The page, picture and tables of a corrected line: bold and thin, side by side, with a warning where it is due."""

import csv
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from stages.monitor.report.csv_parquet import write_csv, write_parquet
from stages.monitor.report.html_page import write_page
from stages.monitor.report.notes import footnotes
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.line import Line
from tests.helpers.shifting_emotions import Simulation, corrected_line


def written(line: Line, folder: Path) -> str:
    write_page(line, [], {}, folder / "p.html")
    return (folder / "p.html").read_text("utf-8")


def test_the_page_sets_all_estimates_and_sources_side_by_side(corrected: Line, tmp_path: Path) -> None:
    page = written(corrected, tmp_path)
    for words in (
        "Bold: adjusted probabilities. Thin, dotted: as counted (classify and count).",
        "The correction rests on 200 comments judged by people",
        "They also hold how well the classifier&#x27;s errors are known",
        "expectation maximisation",
        "prediction-powered",
        '<button type="button" data-beside="on" aria-pressed="true">',
        "<span class=plain>v3</span>",
    ):
        assert words in page, words
    assert 'class="caution"' not in page


def test_a_basis_from_another_domain_is_warned_of_on_top(simulation: Simulation, tmp_path: Path) -> None:
    other = Simulation(simulation.shard, replace(simulation.gold, kind="validation", is_random=False))
    line = corrected_line(other, judged_on="validation")
    page = written(line, tmp_path)
    assert page.index("another domain than the comments") < page.index("<figure")
    assert "rests on 200 texts of the original validation split" in page
    assert "comments judged by people" not in page
    printed = " ".join(note[0] for note in footnotes(line, line.periods))
    assert "another domain than the comments" in printed
    assert "200 judged original texts" in printed


def test_a_fall_back_to_counts_is_shown_on_top(simulation: Simulation, tmp_path: Path) -> None:
    page = written(corrected_line(simulation, min_gold=500), tmp_path)
    assert page.index("Drawn as counted, not corrected: index.prevalence: pacc needs 500") < page.index("<figure")


def test_csv_parquet_and_json_hold_every_estimate(corrected: Line, tmp_path: Path) -> None:
    write_csv(corrected, tmp_path / "l.csv")
    write_parquet(corrected, tmp_path / "l.parquet")
    methods = corrected.periods[0].methods
    with (tmp_path / "l.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["drawn"] == "pacc"
    assert float(row["raw_joy"]) == pytest.approx(methods["raw"].shares["joy"].value, abs=1e-6)
    assert float(row["em_joy_high"]) == pytest.approx(methods["em"].shares["joy"].high, abs=1e-6)
    assert row["share_joy"] == row["pacc_joy"]
    rows = pq.read_table(tmp_path / "l.parquet").to_pylist()
    assert len(rows) == 3 * 6 * 4  # months, methods, labels and index
    assert {r["method"] for r in rows if r["is_drawn"]} == {"pacc"}


def test_the_picture_shows_the_other_estimate_too(corrected: Line, tmp_path: Path) -> None:
    draw_png(corrected, tmp_path / "with.png")
    draw_png(replace(corrected, choice=replace(corrected.choice, methods=("pacc",))), tmp_path / "without.png")
    with Image.open(tmp_path / "with.png") as one, Image.open(tmp_path / "without.png") as other:
        assert one.size == other.size
        assert one.tobytes() != other.tobytes()
